package report

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func writeAnnotations(t *testing.T, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteAnnotations(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAnnotations(t *testing.T) {
	checkGolden(t, "annotations.want", writeAnnotations(t, fixture()))
	if got := writeAnnotations(t, &Report{}); got != "" {
		t.Errorf("nothing to tell: %q", got)
	}
}

// payloads try to be commands of their own, to end ours or to change its title.
var payloads = []string{
	"::add-mask::secret", "::stop-commands::token", "\n::add-mask::secret", "\r\n::error::x", "a\n::set-output name=x::y", "x\r::warning::y",
	"##[add-mask]x", "text ##[error]y", "##[group]x\n##[endgroup]", "##vso[task.complete result=Failed;]done", "a ##vso[task.setvariable variable=x]y",
	" ::debug::x", "\t::notice::x", "\u2028::error::x", "\u0085::error::x", "\v::error::x", "\f::error::x",
	"%0A::error::x", "%25%0A", "a,title=b,file=/etc/passwd::z", "\x1b[2K::error::x", "\u202e::rorre", "::", "",
}

func TestAnnotationsHoldNoOtherCommand(t *testing.T) {
	whole := regexp.MustCompile(`^::(error|warning) title=runner%3A [^:,\n]*::[^\r\n]*$`)
	if len(payloads) < 20 {
		t.Fatalf("only %d", len(payloads))
	}
	for _, p := range payloads {
		r := &Report{Missed: []Missed{{Name: p, Message: p}}, Failures: []Failure{{Class: p, Message: p, Count: 1, Rows: []int64{0}}}}
		got := writeAnnotations(t, r)
		lines := strings.Split(strings.TrimSuffix(got, "\n"), "\n")
		if len(lines) != 2 || !whole.MatchString(lines[0]) || !whole.MatchString(lines[1]) {
			t.Errorf("%q becomes %q", p, got)
		}
		if strings.Contains(got, "##[") || strings.Contains(got, "##vso[") {
			t.Errorf("%q is a command of another form in %q", p, got)
		}
	}
}

func TestAnnotationsAreFew(t *testing.T) {
	r := &Report{}
	for i := range 25 {
		r.Missed = append(r.Missed, Missed{Name: fmt.Sprint("t", i), Message: "100% over\nby far"})
		r.Failures = append(r.Failures, Failure{Class: "timeout", Message: strings.Repeat("long ", 1000), Count: 1})
	}
	got := writeAnnotations(t, r)
	if n := strings.Count(got, "::error "); n != 10 {
		t.Errorf("%d errors", n)
	}
	if n := strings.Count(got, "::warning "); n != 10 {
		t.Errorf("%d warnings", n)
	}
	for _, want := range []string{"::error title=runner%3A t8::100%25 over by far\n", "::error title=runner%3A more::16 more thresholds missed are in the report\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if len(got) > 20_000 {
		t.Errorf("%d bytes", len(got))
	}
}
