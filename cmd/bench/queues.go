package main

import (
	"fmt"
	"time"
)

// A queued is a work that starts at a rate, beside the same work in a closed loop: its
// latency counts from when each request was to start, so that it has the time for which
// the server kept requests from being sent or served. The closed loop only asks when the
// server is ready, and sees nothing of it.
func queued(key, title string, open, closed work, checks ...check) item {
	return item{key: key, title: title, once: true, checks: checks, contestants: []contestant{{"runner", benching, open}, {"closed", benching, closed}}}
}

// loaded is an open load of ten seconds at a share of what 10 slots of 100 ms can serve,
// which is 100/s.
func loaded(share int) item {
	const slots, service, capacity = 10, 100 * time.Millisecond, 100
	rate := capacity * float64(share) / 100
	closed := work{rows: int(10 * rate), warmups: slots, concurrency: slots, slots: slots, service: service, chunks: 4, axis: none}
	open := closed
	open.concurrency, open.rate, open.warmups = unbounded, rate, 1
	key, title := fmt.Sprintf("open%d", share), fmt.Sprintf("starts at %d%% of capacity, 10 s", share)
	typical := check{what: "median latency", of: "runner", show: seconds, get: func(f figure) float64 { return f.told.asUsed().Median }}
	if rate > capacity {
		return queued(key, title, open, closed, typical.atLeast(0.9, open.medianOfQueue()))
	}
	typical.over, typical.limit = "closed", 1.25
	return queued(key, title, open, closed, typical, rateKept(rate))
}

// medianOfQueue is the median latency of n requests that start at a rate r above the
// capacity c = slots / service of the server. Request i, from 0, is to start at i/r. The
// server serves c a second, all the time and in their order, so that its service begins
// at i/c, and its latency is
//
//	service + i (1/c - 1/r)
//
// which grows evenly: its median is that of i = (n - 1) / 2.
func (w work) medianOfQueue() float64 {
	capacity := float64(w.slots) / w.service.Seconds()
	return w.service.Seconds() + float64(w.rows-1)/2*(1/capacity-1/w.rate)
}

// frozen starts 100 requests a second for ten seconds, in which the server is frozen for
// one. The closed loop has two in flight, which is the same rate as long as all is well.
func frozen() item {
	closed := work{
		rows: 1_000, warmups: 2, concurrency: 2, slots: 200, service: 20 * time.Millisecond, chunks: 2, axis: none,
		freezeAt: 4 * time.Second, freeze: time.Second,
	}
	open := closed
	open.concurrency, open.rate, open.warmups = unbounded, 100, 1
	longest := check{what: "p99 latency", of: "runner", show: seconds, get: func(f figure) float64 { return f.told.asUsed().P99 }}
	return queued("frozen", "100/s for 10 s, the server frozen for 1 s", open, closed, longest.atLeast(0.9, open.p99OfFreeze()))
}

// p99OfFreeze is the 99th percentile of the latencies of n requests at a rate r to a
// server that is frozen for a time F, with a slot for each. A request that is to start at
// d after the freeze's begin is heard at its end, and has a latency of
//
//	F - d + service
//
// One that was being answered when the freeze began has more than F: r x service of them.
// One in a hundred may have more than the percentile: those, and then, in their order,
// the first ones of the freeze. The next one is to start at d = (n/100) / r - service.
func (w work) p99OfFreeze() float64 {
	d := float64(w.rows)/100/w.rate - w.service.Seconds()
	return w.freeze.Seconds() - d + w.service.Seconds()
}

// atLeast holds a check against a share of what arithmetic says, and shows the closed
// loop beside it.
func (c check) atLeast(share, arithmetic float64) check {
	c.limit, c.least, c.arithmetic, c.beside = share, true, arithmetic, "closed"
	return c
}
