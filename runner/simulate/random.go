package simulate

import (
	"math"
	"math/bits"
)

// random is SplitMix64: small, and the same numbers for ever, which the standard
// library doesn't promise for all it derives from a seed.
type random struct{ state uint64 }

// newRandom gives a stream of numbers for one purpose, so that what is drawn for
// another doesn't shift it.
func newRandom(seed uint64, purpose string) *random {
	return &random{state: seed ^ hashString(purpose)}
}

func (r *random) next() uint64 {
	r.state += 0x9e3779b97f4a7c15
	return mix(r.state)
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// below gives a number from 0 to n-1; n must be positive.
func (r *random) below(n int) int {
	high, _ := bits.Mul64(r.next(), uint64(n))
	return int(high)
}

// share gives a number in [0, 1).
func (r *random) share() float64 { return asShare(r.next()) }

func asShare(z uint64) float64 { return float64(z>>11) / (1 << 53) }

// normal gives a normally distributed number (Box and Muller).
func (r *random) normal() float64 {
	return math.Sqrt(-2*math.Log(1-r.share())) * math.Cos(2*math.Pi*r.share())
}

// hashString is FNV-1a, mixed.
func hashString(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return mix(h)
}
