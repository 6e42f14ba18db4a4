package main

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
	"time"
)

// A plan is when the pieces of an answer are to come, from when it has its slot.
type plan struct {
	first  time.Duration // to the first piece
	each   time.Duration // to each further one
	pieces int           // at least 1
	reads  bool          // the prompt is read before the first piece; else that takes no time
}

func (p plan) at(i int) time.Duration { return p.first + time.Duration(i)*p.each }

func (p plan) whole() time.Duration { return p.at(p.pieces - 1) }

// plan plans the answer of the n-th arrival, from 0, or, where answers come token by
// token, of a prompt. It depends on nothing else, so that every client meets the same
// work, and a prompt that is asked again to warm up has the same answer.
func (l Load) plan(n int, prompt string) plan {
	if l.Tokens > 0 {
		return plan{first: l.FirstToken, each: l.PerToken, pieces: l.length(prompt), reads: true}
	}
	share := l.service(n) / time.Duration(l.Chunks)
	return plan{first: share, each: share, pieces: l.Chunks}
}

// service is the planned time of the n-th arrival.
func (l Load) service(n int) time.Duration {
	return time.Duration(float64(l.Service) * l.spread(uint64(n)))
}

// length is the planned length of a prompt's answer, in tokens: at least two, so that
// there is a time between them.
func (l Load) length(prompt string) int {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(prompt)) // a hash takes everything
	return max(2, int(math.Round(l.Tokens*l.spread(hash.Sum64()))))
}

// spread is a lognormal factor of mean 1 that belongs to a number.
func (l Load) spread(n uint64) float64 {
	if l.Sigma == 0 {
		return 1
	}
	z := rand.New(rand.NewPCG(l.Seed, n)).NormFloat64()
	return math.Exp(l.Sigma*z - l.Sigma*l.Sigma/2)
}
