package runner

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/specs/say"
)

// judge says why a complete answer can't be used, nil where it can; what is only
// odd about it becomes a warning on the answer.
func judge(step *pipeline.Step, req *pipeline.Request, a *pipeline.Answer) *Error {
	if err := wordless(a); err != nil {
		return err
	}
	if a.DoneReason == "length" {
		if err := cut(req, a); err != nil {
			return err
		}
	}
	if step.Check != nil {
		if err := step.Check(a); err != nil {
			return classed(err, Schema)
		}
	}
	if loop := repetition(a.Response); loop != "" {
		a.Warnings = append(a.Warnings, fmt.Sprintf("the answer ends with %q over and over", loop))
	}
	return nil
}

// cut judges an answer that ended at a limit. Only where the author set it is such
// an answer what was asked for; a warning says that there was more to come.
func cut(req *pipeline.Request, a *pipeline.Answer) *Error {
	limit := req.Options["num_predict"]
	switch {
	case beforeLimit(limit, a.EvalCount):
		return &Error{Class: Cut, Message: fmt.Sprintf("the answer did not end before the context was full, after %s; raise num_ctx if the model can take it, or set a smaller num_predict", say.Plural(a.EvalCount, "token"))}
	case req.OwnLimit:
		return &Error{Class: Cut, Message: fmt.Sprintf("the answer did not end within runner's own limit of %v tokens; set num_predict", limit)}
	}
	a.Warnings = append(a.Warnings, fmt.Sprintf("the answer was cut at num_predict %v", limit))
	return nil
}

// beforeLimit says whether an answer of so many tokens ended before num_predict:
// then the context was full. Servers may count the last token or not. -2 asks for
// just that, an answer that fills the context; -1 for one without a limit.
func beforeLimit(numPredict any, count int) bool {
	limit, err := strconv.ParseFloat(fmt.Sprint(numPredict), 64)
	if err != nil || count == 0 || limit == -2 {
		return false
	}
	return limit < 0 || float64(count)+1 < limit
}

// wordless returns the failure of an answer without text.
func wordless(a *pipeline.Answer) *Error {
	switch {
	case strings.TrimSpace(a.Response) != "":
		return nil
	case a.DoneReason == "load" || a.DoneReason == "unload":
		return &Error{Class: Empty, Message: fmt.Sprintf("no answer: the server took the request for one to %s the model", a.DoneReason)}
	case strings.TrimSpace(a.Thinking) != "":
		return &Error{Class: ThinkingOnly, Message: fmt.Sprintf("the model thought (%s) and gave no answer", say.Plural(a.EvalCount, "token"))}
	default:
		return &Error{Class: Empty, Message: "the answer is empty"}
	}
}

// What counts as one thing over and over: a loop that a person would notice, not a
// ruler of dashes or a row of zeros.
const (
	minRepeats  = 8
	minRepeated = 96  // bytes, in all
	maxPeriod   = 256 // bytes, of the part that comes again
)

// repetition returns the shortest part that text ends with over and over, empty
// where it ends like a text does. It costs about a microsecond.
func repetition(text string) string {
	n := len(text)
	for period := 1; period <= min(maxPeriod, n/minRepeats); period++ {
		if text[n-1] != text[n-1-period] {
			continue
		}
		size := period * max(minRepeats, (minRepeated+period-1)/period)
		if size <= n && text[n-size:n-period] == text[n-size+period:] {
			return text[n-period:]
		}
	}
	return ""
}
