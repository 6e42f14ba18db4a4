package report

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFailuresByCause(t *testing.T) {
	var tasks []*Task
	for row := range int64(12) {
		tasks = append(tasks, failing(row, "m", "timeout", fmt.Sprintf("no answer within %ds (attempt %d of 3)", 30+row, row)))
	}
	tasks = append(tasks,
		failing(12, "m", "schema", `"score" is missing`), failing(12, "m", "schema", `"grade" is missing`),
		failing(13, "m", "server", `"score" is missing`), failing(14, "m", "server", "don't know what 'x' and `y` are"))
	want := []Failure{
		{"timeout", "no answer within 30s (attempt 0 of 3)", 12, []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}},
		{"schema", `"score" is missing`, 2, []int64{12}},
		{"server", `"score" is missing`, 1, []int64{13}},
		{"server", "don't know what 'x' and `y` are", 1, []int64{14}},
	}
	if diff := cmp.Diff(want, mustMake(t, Run{}, Options{}, tasks...).Failures); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
}

func TestFailuresAreBounded(t *testing.T) {
	var tasks []*Task
	for row := range int64(300) {
		tasks = append(tasks, failing(row, "m", "server", strings.Repeat("x", int(row)+1)))
	}
	got := mustMake(t, Run{}, Options{}, tasks...).Failures
	if len(got) != 201 || got[200].Class != "other" || got[200].Count != 100 || got[200].Rows[0] != 200 {
		t.Errorf("%d causes, the last one %+v; want 201, the last of 100 tasks from row 200", len(got), got[len(got)-1])
	}
}
