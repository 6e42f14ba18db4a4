package report

import (
	"testing"
)

func TestSeconds(t *testing.T) {
	for s, want := range map[float64]string{
		0: "0s", 0.0000123: "12.3µs", 0.0009994: "999µs", 0.0009996: "1.00ms", 0.08: "80.0ms", 0.9994: "999ms", 0.9996: "1.00s",
		1.234: "1.23s", 9.996: "10.0s", 59.9: "59.9s", 99.96: "1m40s", 185: "3m05s", 3599.4: "59m59s", 3600: "1h00m", 8040: "2h14m",
		-0.5: "-500ms",
	} {
		if got := seconds(s); got != want {
			t.Errorf("seconds(%v) is %q, want %q", s, got, want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for f, want := range map[float64]string{
		0: "0", 0.0512: "0.0512", 4.2: "4.20", 51.34: "51.3", 999.4: "999", 999.6: "1,000", 1234.4: "1,234", -1234567: "-1,234,567",
		0.00001: "1e-05", 1e16: "1e+16", 9.996: "10.0",
	} {
		if got := number(f); got != want {
			t.Errorf("number(%v) is %q, want %q", f, got, want)
		}
	}
	for share, want := range map[float64]string{0: "0%", 0.95: "95.0%", 1: "100%", 0.0417: "4.17%"} {
		if got := percent(share); got != want {
			t.Errorf("percent(%v) is %q, want %q", share, got, want)
		}
	}
}

func TestWordsOfComparisons(t *testing.T) {
	for _, c := range []struct {
		c    Comparison
		want string
	}{
		{Comparison{Figure: "latency", Delta: 0.8, P: 0.001, Shown: true}, "A is 1.8 times faster than B (latency, p=0.001)"},
		{Comparison{Figure: "latency", Delta: 0.1, P: 0.00001, Shown: true}, "A is 10% faster than B (latency, p<0.001)"},
		{Comparison{Figure: "tokens_per_sec", Delta: -0.5, P: 0.02, Shown: true}, "A is 2 times faster than B (tokens/s, p=0.02)"},
		{Comparison{Figure: "ttft", Delta: 0.1, P: 0.41}, "no difference shown between A and B (time to first token, p=0.41)"},
		{Comparison{Figure: "ttft", Delta: 0.1, P: 1, Too: "too few"}, "A and B can't be compared: too few (time to first token)"},
		{Comparison{Figure: "ttft", Delta: 0.1, P: 0.2, Too: "too much noise"}, "no difference shown between A and B, but too much noise to show one (time to first token, p=0.2)"},
	} {
		c.c.A, c.c.B = "A", "B"
		if got := c.c.sentence(oneLine); got != c.want {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
}

func TestSpreadOfMedian(t *testing.T) {
	s := stat(20, 1)
	if got := s.median(); got != "1.00s ± 4%" {
		t.Error(got)
	}
	if got := stat(3, 1).median(); got != "1.00s ± ∞" {
		t.Error(got)
	}
}
