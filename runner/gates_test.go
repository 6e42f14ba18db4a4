package runner

import (
	"testing"
	"time"
)

// What the pacer's own timer is late by is made up for, what something else delays
// is not, and nothing of a long sleep is.
func TestPacerThatIsLate(t *testing.T) {
	const ms = time.Millisecond
	began := time.Now()
	for _, test := range []struct {
		name    string
		awaited bool
		late    time.Duration // of the second start, due at 10 ms
		burst   int           // starts allowed at that moment
		next    time.Duration // when the next one is, since began
	}{
		{"on time", true, 0, 1, 20 * ms},
		{"a little late", true, 3 * ms, 1, 20 * ms},
		{"late by the timer", true, 35 * ms, 4, 50 * ms},
		{"after a little idle time", false, 3 * ms, 1, 20 * ms},
		{"after an idle time", false, 35 * ms, 1, 55 * ms},
		{"after a long idle time", false, time.Hour, 1, time.Hour + 20*ms},
		{"after the machine's sleep", true, time.Hour, 51, time.Hour + 20*ms},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPacer(100)
			p.take(began)
			p.awaited = test.awaited
			now, burst := began.Add(10*ms+test.late), 0
			for p.wait(now) == 0 {
				p.take(now)
				burst++
			}
			if next := now.Add(p.wait(now)).Sub(began); burst != test.burst || next != test.next {
				t.Errorf("%d at once, the next at %s; want %d and %s", burst, next, test.burst, test.next)
			}
		})
	}
}

// An open load loses no slot: what starts late was to start in its own, also after a
// long stall.
func TestOpenPacerLosesNoSlot(t *testing.T) {
	p := newPacer(100).opened(true)
	began := time.Now()
	p.take(began)
	stalled := began.Add(time.Second)
	for k := 1; k <= 100; k++ {
		if wait := p.wait(stalled); wait != 0 {
			t.Fatalf("start %d waits %s more", k, wait)
		}
		if due := p.slot(stalled).Sub(began); due != time.Duration(k)*10*time.Millisecond {
			t.Fatalf("start %d was to be %s after the first", k, due)
		}
		p.take(stalled)
	}
	if wait := p.wait(stalled); wait != 10*time.Millisecond {
		t.Errorf("after the stall is made up for the next start waits %s", wait)
	}
}

func TestOddRates(t *testing.T) {
	now := time.Now()
	for rate, want := range map[float64]time.Duration{0: 0, -1: 0, 1e12: 0, 1e-300: 1 << 62} {
		p := newPacer(rate)
		p.take(now)
		if got := p.wait(now); got != want {
			t.Errorf("rate %g: wait %s, want %s", rate, got, want)
		}
	}
}
