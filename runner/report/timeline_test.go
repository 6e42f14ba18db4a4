package report

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTimeline(t *testing.T) {
	first, second := timed(0, "m", ms(100), ms(2600)), timed(1, "m", ms(150), ms(2700))
	first.Load, second.Load = 2*time.Second, 2100*time.Millisecond // both waited for one load
	reused := timed(2, "m", 0, ms(100))
	reused.Asked = false
	third := timed(3, "m", ms(3000), ms(230))
	got := mustMake(t, Run{}, Options{}, first, second, reused, third).Timeline
	want := []Span{
		{Kind: "load", Model: "m", From: 0.1, To: 2.25},
		{Kind: "request", Model: "m", Step: "main", Row: 0, From: 0.1, To: 2.7, Queue: 0.48, First: 0.26},
		{Kind: "request", Model: "m", Step: "main", Row: 1, From: 0.15, To: 2.85, Queue: 0.48, First: 0.27},
		{Kind: "request", Model: "m", Step: "main", Row: 3, From: 3, To: 3.23, Queue: 0.1, First: 0.023},
	}
	if diff := cmp.Diff(want, got, near); diff != "" {
		t.Errorf("timeline (-want +got):\n%s", diff)
	}
}

func TestTimelineKeepsLoads(t *testing.T) {
	var tasks []*Task
	for row := range int64(100) {
		task := timed(row, "m", time.Duration(row)*10*time.Second, ms(2000))
		if row%25 == 24 {
			task.Load = time.Second
		}
		tasks = append(tasks, task)
	}
	spans := mustMake(t, Run{}, Options{MaxRows: 10, Seed: 3}, tasks...).Timeline
	loads := 0
	for _, s := range spans {
		if s.Kind == "load" {
			loads++
		}
	}
	if len(spans) != 10 || loads != 4 {
		t.Errorf("%d spans, %d of them loads; want 10 and all 4", len(spans), loads)
	}
}
