package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/batchrunner/runner/specs/say"
)

// maxAnnotations is how many annotations of a kind GitHub shows of a step.
const maxAnnotations = 10

// WriteAnnotations writes workflow commands that GitHub Actions shows as annotations: an
// error for each missed threshold, a warning for each cause of failures, at most ten of
// each. Every line begins with our own command, and text of models and servers can't end
// it, so that no such text becomes a command itself.
func WriteAnnotations(w io.Writer, r *Report) error {
	missed := each(r.Missed, func(m Missed) annotation { return annotation{m.Name, m.Message} })
	failures := each(r.Failures, func(f Failure) annotation {
		return annotation{f.Class, f.sentence(func(s string) string { return brief(s, textMessage) })}
	})
	text := annotations("error", "thresholds missed", missed) + annotations("warning", "causes of failures", failures)
	_, err := io.WriteString(w, text)
	return err
}

type annotation struct{ title, message string }

func annotations(kind, things string, list []annotation) string {
	const last = maxAnnotations - 1
	if n := len(list); n > maxAnnotations {
		more := annotation{"more", say.Count(n-last) + " more " + things + " are in the report"}
		list = append(list[:last:last], more)
	}
	var b strings.Builder
	for _, a := range list {
		title := commandProperty.Replace("runner: " + oneLine(a.title))
		fmt.Fprintf(&b, "::%s title=%s::%s\n", kind, title, commandData.Replace(oneLine(a.message)))
	}
	return b.String()
}
