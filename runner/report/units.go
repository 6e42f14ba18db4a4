package report

import (
	"cmp"
	"fmt"
	"math"
	"strconv"

	"github.com/batchrunner/runner/specs/say"
)

// figures are what a person calls the figures of a Group, by their JSON names.
var figures = map[string]string{
	"latency":               "latency",
	"ttft":                  "time to first token",
	"ttf_text":              "time to first text",
	"tpot":                  "time per output token",
	"inter_chunk":           "time between chunks",
	"schedule_latency":      "latency from the intended start",
	"load":                  "load time",
	"queue":                 "queue time",
	"prompt":                "prompt time",
	"generate":              "generation time",
	"tokens_per_sec":        "tokens/s",
	"prompt_tokens_per_sec": "prompt tokens/s",
	"host_tokens_per_sec":   "tokens/s of the host",
	"requests_per_sec":      "requests/s",
	"goodput":               "goodput",
	"late":                  "lateness of sending",
}

// figureName is what a person calls a figure of a Group; one that has no name keeps its own.
func figureName(name string) string { return cmp.Or(figures[name], oneLine(name)) }

// seconds writes a time with three digits and its unit: 820µs, 80.0ms, 1.23s, 3m05s, 2h14m.
func seconds(s float64) string {
	switch size := math.Abs(s); {
	case size == 0:
		return "0s"
	case size < 0.9995e-3:
		return digits3(s*1e6) + "µs"
	case size < 0.9995:
		return digits3(s*1e3) + "ms"
	case size < 99.95:
		return digits3(s) + "s"
	case size < 3599.5:
		m, rest := math.Modf(math.Round(s) / 60)
		return fmt.Sprintf("%dm%02ds", int(m), int(math.Round(math.Abs(rest)*60)))
	}
	h, rest := math.Modf(math.Round(s/60) / 60)
	return fmt.Sprintf("%dh%02dm", int(h), int(math.Round(math.Abs(rest)*60)))
}

// number writes a figure without a unit with three digits, large ones with all that
// stand before the point: 0.0512, 4.20, 51.3, 1,234.
func number(f float64) string {
	if size := math.Abs(f); size >= 999.5 && size < 1e15 {
		return say.Count(int64(math.Round(f)))
	}
	return digits3(f)
}

// digits3 writes three significant digits and no exponent where that is readable.
func digits3(f float64) string {
	size := math.Abs(f)
	switch {
	case f == 0:
		return "0"
	case math.IsNaN(f) || math.IsInf(f, 0) || size >= 1e15 || size < 1e-4:
		return strconv.FormatFloat(f, 'g', 3, 64)
	}
	whole := int(math.Floor(math.Log10(size))) + 1
	text := strconv.FormatFloat(f, 'f', max(0, 3-whole), 64)
	// Rounding may have brought a digit more: 9.996 is 10.0, not 10.00.
	if again, err := strconv.ParseFloat(text, 64); err == nil && again != 0 {
		whole = int(math.Floor(math.Log10(math.Abs(again)))) + 1
	}
	return strconv.FormatFloat(f, 'f', max(0, 3-whole), 64)
}

// roughly writes two significant digits: 7.5, 12, 150.
func roughly(f float64) string {
	if math.Abs(f) >= 99.5 {
		return number(f)
	}
	return strconv.FormatFloat(f, 'g', 2, 64)
}

// percent writes a share as a percentage: 95.0%, 4.17%.
func percent(share float64) string { return digits3(share*100) + "%" }

// words names a level of load: "4 at a time", "10/s", and nothing outside of benchmarks.
func (l Level) words() string {
	switch {
	case l.Rate > 0:
		return strconv.FormatFloat(l.Rate, 'f', -1, 64) + "/s"
	case l.Concurrency > 0:
		return say.Count(l.Concurrency) + " at a time"
	}
	return ""
}

// compare orders levels as a sweep goes through them: closed loops before open ones,
// each by load.
func (l Level) compare(other Level) int {
	return cmp.Or(cmp.Compare(l.Rate, other.Rate), cmp.Compare(l.Concurrency, other.Concurrency))
}

// median writes a median with half the width of its interval, as benchstat does:
// "1.23s ± 4%"; without an interval "1.23s ± ∞".
func (s *Stat) median() string {
	return seconds(s.Median) + " " + s.spread()
}

// spread is half the width of the median's interval as a share of it.
func (s *Stat) spread() string {
	if s.Low == nil || s.High == nil || s.Median == 0 {
		return "± ∞"
	}
	half := max(*s.High-s.Median, s.Median-*s.Low) / math.Abs(s.Median)
	if half >= 10 {
		return "± ∞"
	}
	return fmt.Sprintf("± %.0f%%", half*100)
}
