package simulate

import (
	"math"
	"time"
)

// A Timing says how long things take. The durations an answer reports follow from
// it and from the request alone; a server whose Config has no Timing reports those
// of DefaultTiming and takes no time at all.
type Timing struct {
	Load           time.Duration // to bring a model into memory
	FirstToken     time.Duration // to read a prompt, whatever its length
	PerPromptToken time.Duration // and for each of its tokens
	PerToken       time.Duration // for each token of the answer
	// Sigma spreads the times of requests by a lognormal factor of mean 1; 0: none.
	// The factor of a request follows from its content.
	Sigma float64

	// Service is the time of a whole answer, from slot to last byte, whatever its
	// length; it replaces FirstToken, PerPromptToken and PerToken. Sigma spreads it.
	Service time.Duration
	// Fixed says that Service counts even where it is 0.
	Fixed bool
	// Chunks is the number of pieces of a streamed answer; 0: one for each token.
	Chunks int
}

// DefaultTiming is what the server reports when it isn't told: about a small model
// on a good graphics card.
func DefaultTiming() Timing {
	return Timing{
		Load: 2 * time.Second, FirstToken: 30 * time.Millisecond,
		PerPromptToken: 500 * time.Microsecond, PerToken: 20 * time.Millisecond,
	}
}

// Faster is the timing with all times divided by a speed: unlike Config.Speed it also
// changes what answers report.
func (t Timing) Faster(speed float64) Timing {
	for _, d := range []*time.Duration{&t.Load, &t.FirstToken, &t.PerPromptToken, &t.PerToken, &t.Service} {
		*d = time.Duration(float64(*d) / speed)
	}
	return t
}

// loadedDuration is the load_duration of answers: what v0.17.7 needs to see that
// a model is loaded.
const loadedDuration = time.Millisecond

// of gives the times of reading a prompt and of writing an answer.
func (t Timing) of(promptTokens, answerTokens int, seed uint64) (prompt, answer time.Duration) {
	factor := t.factor(seed)
	if t.Service > 0 || t.Fixed {
		whole := scale(t.Service, factor)
		return whole / 10, whole - whole/10
	}
	prompt = t.FirstToken + time.Duration(promptTokens)*t.PerPromptToken
	answer = time.Duration(answerTokens) * t.PerToken
	return scale(prompt, factor), scale(answer, factor)
}

// factor is lognormal with mean 1.
func (t Timing) factor(seed uint64) float64 {
	if t.Sigma <= 0 {
		return 1
	}
	r := newRandom(seed, "timing")
	return math.Exp(t.Sigma*r.normal() - t.Sigma*t.Sigma/2)
}

// scale gives whole microseconds, so that figures are easy to read, but keeps what
// is shorter than that.
func scale(d time.Duration, factor float64) time.Duration {
	if factor == 1 {
		return d
	}
	return time.Duration(float64(d) * factor).Round(time.Microsecond)
}

// speed is Config.Speed with its default, and infinite where no Timing is given.
func (cfg Config) speed() float64 {
	switch {
	case cfg.Timing == (Timing{}):
		return math.Inf(1)
	case cfg.Speed <= 0:
		return 1
	}
	return cfg.Speed
}

// paced is how long the server really waits for what it says took d.
func (cfg *Config) paced(d time.Duration) time.Duration {
	if cfg.Speed == 1 {
		return d
	}
	return time.Duration(float64(d) / cfg.Speed)
}
