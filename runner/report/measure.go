package report

import "time"

// maxWarmLoad is the longest load of a request that found its model loaded. Above it the
// model was read from disk, which takes seconds and says nothing about its speed, so the
// request is in no other figure; below it is what Ollama needs to look the model up.
const maxWarmLoad = 500 * time.Millisecond

// A measure is what is kept of a task that was asked and answered. Times count from the
// run's begin.
type measure struct {
	seen              bool // by the client: Task.Measured was there
	run               int64
	repetition        int32
	chunks            int32
	promptTokens      int32
	tokens            int32
	due, sent         time.Duration
	first, text, last time.Duration // from sent
	newest            time.Duration // from sent: the last chunk with text or thinking
	late              time.Duration
	total, load       time.Duration
	prompt, generate  time.Duration
}

func newMeasure(began time.Time, t *Task) measure {
	m := measure{
		run: t.Run, repetition: int32(t.Repetition),
		promptTokens: int32(t.PromptTokens), tokens: int32(t.OutputTokens),
		total: t.Total, load: t.Load, prompt: t.Prompt, generate: t.Generate,
	}
	if got := t.Measured; got != nil {
		m.seen, m.chunks = true, int32(got.Chunks)
		m.sent, m.due = got.Sent.Sub(began), got.Sent.Sub(began)
		if !got.Due.IsZero() {
			m.due = got.Due.Sub(began)
		}
		m.first, m.text, m.newest, m.last, m.late = got.First, got.FirstText, got.Newest, got.Last, got.Late
	}
	return m
}

func (m *measure) cold() bool { return m.load > maxWarmLoad }

func (m *measure) end() time.Duration { return m.sent + m.last }

// queue is what of the server's time falls into none of its parts. A server that didn't
// tell its parts has no queue to tell; a clock's error makes no negative one.
func (m *measure) queue() (time.Duration, bool) {
	if m.total <= 0 || m.generate <= 0 {
		return 0, false
	}
	return max(0, m.total-m.load-m.prompt-m.generate), true
}

// The figures of one request: in seconds or in tokens a second, and whether it has them.

func (m *measure) latencyFigure() (float64, bool) { return m.last.Seconds(), m.seen && m.last > 0 }

func (m *measure) ttftFigure() (float64, bool) { return m.first.Seconds(), m.seen && m.first > 0 }

func (m *measure) textFigure() (float64, bool) { return m.text.Seconds(), m.seen && m.text > 0 }

func (m *measure) tpotFigure() (float64, bool) { return m.perGap(m.last, m.tokens) }

func (m *measure) chunkFigure() (float64, bool) { return m.perGap(m.newest, m.chunks) }

// perGap spreads the time from the first token to some other one over the gaps between n
// tokens or chunks.
func (m *measure) perGap(to time.Duration, n int32) (float64, bool) {
	if !m.seen || m.first <= 0 || to < m.first || n < 2 {
		return 0, false
	}
	return (to - m.first).Seconds() / float64(n-1), true
}

func (m *measure) scheduleFigure() (float64, bool) {
	return (m.end() - m.due).Seconds(), m.seen && m.last > 0
}

func (m *measure) lateFigure() (float64, bool) { return m.late.Seconds(), m.seen }

func (m *measure) loadFigure() (float64, bool) { return m.load.Seconds(), true }

func (m *measure) queueFigure() (float64, bool) {
	q, ok := m.queue()
	return q.Seconds(), ok
}

func (m *measure) promptFigure() (float64, bool) { return m.prompt.Seconds(), m.prompt > 0 }

func (m *measure) generateFigure() (float64, bool) { return m.generate.Seconds(), m.generate > 0 }

func (m *measure) speedFigure() (float64, bool) { return perSecond(m.tokens, m.generate) }

func (m *measure) promptSpeedFigure() (float64, bool) { return perSecond(m.promptTokens, m.prompt) }

func perSecond(tokens int32, in time.Duration) (float64, bool) {
	if tokens <= 0 || in <= 0 {
		return 0, false
	}
	return float64(tokens) / in.Seconds(), true
}

// A figureOf reads a figure of one request, and says whether it has it.
type figureOf func(*measure) (float64, bool)

// values collects a figure of all that have it, in their order.
func (f figureOf) values(of []measure) []float64 {
	var values []float64
	for i := range of {
		if v, ok := f(&of[i]); ok {
			values = append(values, v)
		}
	}
	return values
}

func (f figureOf) stat(of []measure) *Stat { return newStat(f.values(of)) }
