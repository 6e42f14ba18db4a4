package output

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"iter"
	"os"
	"path"
	"slices"
	"time"

	"github.com/batchrunner/runner/pipeline"
	"github.com/batchrunner/runner/runner"
	"github.com/batchrunner/runner/specs"
)

// An Adopted is a result that stands in an output file of the job, with its key.
type Adopted struct {
	Key      pipeline.Key
	Model    string
	Answer   *pipeline.Answer // nil of a failure
	Err      *runner.Error
	Attempts int
}

// maxAdopted is the longest record that is read back.
const maxAdopted = 64 << 20

// Adopt gives the results that stand in the job's own JSONL files, where these have
// whole records: each key once for a record, files in their order, one line in memory
// at a time. What is no such record is passed over: the file may be of another time. A
// file that is not there has none.
func Adopt(root *os.Root, job *specs.Job, plan *pipeline.Plan, opts Options) iter.Seq2[*Adopted, error] {
	return func(yield func(*Adopted, error) bool) {
		for _, name := range recordFiles(job, plan, opts.Base) {
			if !adoptFile(root, name, yield) {
				return
			}
		}
	}
}

// recordFiles lists the files with default records whose names can be told before a run.
func recordFiles(job *specs.Job, plan *pipeline.Plan, base string) []string {
	names := answerNames(job)
	var files []string
	for i := range job.Outputs {
		out := &job.Outputs[i]
		if out.Form != specs.JSONL || len(out.Columns) > 0 || reads(out.File, names) {
			continue
		}
		files = append(files, filesOf(out, job, plan, base)...)
	}
	slices.Sort(files)
	return slices.Compact(files)
}

func filesOf(out *specs.Output, job *specs.Job, plan *pipeline.Plan, base string) []string {
	seen := map[string]bool{}
	literal := literalPrefix(out.File.Text())
	for row, err := range plan.Rows {
		if err != nil || row == nil {
			continue
		}
		name, err := out.File.Render(plan.Scope(row, nil))
		if err != nil {
			continue
		}
		if full, bad := resolve(job.Dir, name, literal); bad == nil {
			seen[path.Join(base, full)] = true
		}
		if out.File.Constant() {
			break
		}
	}
	var files []string
	for name := range seen {
		files = append(files, name)
	}
	return files
}

func adoptFile(root *os.Root, name string, yield func(*Adopted, error) bool) bool {
	info, err := root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return true
	}
	if err != nil {
		return yield(nil, failure("reading", name, err))
	}
	f, err := root.Open(name)
	if err != nil {
		return yield(nil, failure("reading", name, err))
	}
	defer f.Close() // only read from
	in := bufio.NewReaderSize(f, 64<<10)
	for {
		line, err := readLine(in)
		for _, one := range adoptedOf(line) {
			if !yield(one, nil) {
				return false
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return true
		case err != nil:
			return yield(nil, failure("reading", name, err))
		}
	}
}

// readLine gives the next line; one that is too long is empty.
func readLine(in *bufio.Reader) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		if len(line)+len(part) <= maxAdopted {
			line = append(line, part...)
		} else {
			line = nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// A written result is a result's part of a record, as recorder writes it.
type written struct {
	Success            *bool    `json:"success"`
	Response           string   `json:"response"`
	Thinking           string   `json:"thinking"`
	Model              string   `json:"model"`
	DoneReason         string   `json:"done_reason"`
	PromptEvalCount    int      `json:"prompt_eval_count"`
	EvalCount          int      `json:"eval_count"`
	EvalDuration       int64    `json:"eval_duration"`
	TotalDuration      int64    `json:"total_duration"`
	LoadDuration       int64    `json:"load_duration"`
	PromptEvalDuration int64    `json:"prompt_eval_duration"`
	Warnings           []string `json:"warnings"`
	Error              string   `json:"error"`
	ErrorClass         string   `json:"error_class"`
	Attempts           int      `json:"attempts"`
	Key                string   `json:"key"`
}

// adoptedOf reads the results of a record, none of a line that is no whole record.
func adoptedOf(line []byte) []*Adopted {
	if len(bytes.TrimSpace(line)) == 0 {
		return nil
	}
	var record struct {
		written
		Steps     map[string]written `json:"steps"`
		Simulated bool               `json:"simulated"`
	}
	if json.Unmarshal(line, &record) != nil {
		return nil
	}
	parts := []written{record.written}
	for _, part := range record.Steps {
		if part.Key != record.Key {
			parts = append(parts, part)
		}
	}
	var found []*Adopted
	for i := range parts {
		if one := parts[i].adopted(record.Simulated); one != nil {
			found = append(found, one)
		}
	}
	return found
}

func (w *written) adopted(simulated bool) *Adopted {
	key, err := pipeline.ParseKey(w.Key)
	if err != nil || w.Success == nil {
		return nil
	}
	one := &Adopted{Key: key, Model: w.Model, Attempts: w.Attempts}
	if !*w.Success {
		if w.ErrorClass == "" || runner.Class(w.ErrorClass) == runner.NotStored { // nothing came of the question
			return nil
		}
		one.Err = &runner.Error{Class: runner.Class(w.ErrorClass), Message: w.Error}
		return one
	}
	one.Attempts = max(1, w.Attempts)
	one.Answer = &pipeline.Answer{
		Response: w.Response, Thinking: w.Thinking, Model: w.Model, DoneReason: w.DoneReason,
		PromptEvalCount: w.PromptEvalCount, EvalCount: w.EvalCount,
		TotalDuration: time.Duration(w.TotalDuration), LoadDuration: time.Duration(w.LoadDuration),
		PromptEvalDuration: time.Duration(w.PromptEvalDuration), EvalDuration: time.Duration(w.EvalDuration),
		Warnings: w.Warnings, Simulated: simulated,
	}
	return one
}
