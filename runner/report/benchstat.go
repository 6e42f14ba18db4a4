package report

import (
	"fmt"
	"io"
	"iter"
	"strconv"
	"time"
)

// WriteBenchstat writes each measured request of a run in the format of Go's benchmarks,
// with the names and units of Ollama's own benchmark, so that benchstat compares models
// (-col /name) and runs (two files) from the samples themselves:
//
//	BenchmarkModel/name=gemma3:4b/step=prefill 1 78125.00 ns/token 12800.00 token/sec
//	BenchmarkModel/name=gemma3:4b/step=generate 1 19531.25 ns/token 51.20 token/sec
//	BenchmarkModel/name=gemma3:4b/step=ttft 1 45123000 ns/op
//	BenchmarkModel/name=gemma3:4b/step=load 1 1500000000 ns/op
//	BenchmarkModel/name=gemma3:4b/step=total 1 2861047625 ns/op
//
// The figures are the server's own but for ttft. A request that found its model not
// loaded is in step=load alone. Where there are several, the job's step and the level of
// load are further parts: /task=draft, /concurrency=4, /rate=2.5.
//
// tasks are as Make reads them, and are gone through twice.
func WriteBenchstat(w io.Writer, run Run, tasks iter.Seq2[*Task, error]) error {
	at, err := benchPlaces(tasks)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, benchHeader(&run)); err != nil {
		return err
	}
	var line []byte
	for t, err := range tasks {
		if err != nil {
			return err
		}
		if line = at.appendTask(line[:0], t); len(line) == 0 {
			continue
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// benchHeader tells of the run. benchstat compares no results that differ in a "key:
// value" line, so only what makes them incomparable is one; all else is a comment.
func benchHeader(run *Run) string {
	text := ""
	if run.Hardware != "" {
		text += "hardware: " + oneLine(run.Hardware) + "\n"
	}
	if run.Simulated {
		text += "simulated: true\n"
	}
	text += fmt.Sprintf("# %s, run %d of %s, runner %s, server %s %s\n", oneLine(run.Job), run.ID,
		run.Began.UTC().Format(time.RFC3339), oneLine(run.Runner), oneLine(run.Server), oneLine(run.ServerVersion))
	for _, m := range run.Models {
		text += "# Model: " + oneLine(m.Name) + " | Digest: " + oneLine(m.Digest) + "\n"
	}
	return text
}

// benchPlaces finds out which parts the names need.
func benchPlaces(tasks iter.Seq2[*Task, error]) (at places, err error) {
	var first *Task
	for t, err := range tasks {
		if err != nil {
			return at, err
		}
		if !t.measured() {
			continue
		}
		if first == nil {
			first = &Task{Step: t.Step, Level: t.Level}
		}
		at.steps = at.steps || t.Step != first.Step
		at.levels = at.levels || t.Level != first.Level
	}
	return at, nil
}

// measured says whether t is a request of this run whose times count.
func (t *Task) measured() bool { return t.asked() && !t.failed() && t.Model != "" && t.Measured != nil }

// appendTask appends the lines of one request.
func (p places) appendTask(dst []byte, t *Task) []byte {
	if !t.measured() {
		return dst
	}
	line := func(step, figures string) {
		dst = append(dst, "BenchmarkModel/name="+benchName(t.Model)+"/step="+step+p.nameParts(t)+" 1 "+figures+"\n"...)
	}
	if t.Load > maxWarmLoad {
		line("load", perOp(t.Load))
		return dst
	}
	if t.PromptTokens > 0 && t.Prompt > 0 {
		line("prefill", perToken(t.Prompt, t.PromptTokens))
	}
	if t.OutputTokens > 0 && t.Generate > 0 {
		line("generate", perToken(t.Generate, t.OutputTokens))
	}
	if t.Measured.First > 0 {
		line("ttft", perOp(t.Measured.First))
	}
	if t.Total > 0 {
		line("total", perOp(t.Total))
	}
	return dst
}

// nameParts are the parts of a name that tell the job's steps and levels apart.
func (p places) nameParts(t *Task) string {
	text := ""
	if p.steps {
		text += "/task=" + benchName(t.Step)
	}
	switch {
	case p.levels && t.Level.Rate > 0:
		text += "/rate=" + strconv.FormatFloat(t.Level.Rate, 'g', -1, 64)
	case p.levels:
		text += "/concurrency=" + strconv.Itoa(t.Level.Concurrency)
	}
	return text
}

func perToken(d time.Duration, tokens int) string {
	n := float64(tokens)
	return fmt.Sprintf("%.2f ns/token %.2f token/sec", float64(d.Nanoseconds())/n, n/d.Seconds())
}

func perOp(d time.Duration) string { return strconv.FormatInt(d.Nanoseconds(), 10) + " ns/op" }
