// Package specs holds the job file as its author wrote it: it loads a job,
// checks it whole, and reports every mistake at its place in the file.
package specs

import (
	"encoding/json"
	"time"

	"github.com/batchrunner/runner/schema"
	"github.com/batchrunner/runner/specs/dataset"
)

// A Pos is a place in a file, line and column from 1, columns in characters.
// The zero Pos is no place.
type Pos struct{ Line, Col int }

// A String is a text of the job file with its place.
type String struct {
	Value string
	Pos   Pos
}

// A Job is a checked job file: shapes are right, templates parse, names are
// known, defaults are filled in, and what steps inherit stands in the steps.
type Job struct {
	File        string            // the job file, as messages name it
	Dir         string            // its folder inside the root, slash-separated, "." for the root itself
	Name        string            // names its results; default: the file's name without extension
	Vars        []Var             // constants, in file order, --var applied
	Env         map[string]string // what .env holds: the variables that --env named
	Axes        []Axis            // in file order; none: the job has one row
	Exclude     []Entry
	Include     []Entry
	RowID       *Template // nil: the row's number
	Concurrency int       // requests in flight on each host
	Rate        float64   // attempts a second, 0 for no limit
	MaxFailures Share
	Steps       []Step // in file order; at least one
	Outputs     []Output
	Bench       *Bench // nil: the job is no benchmark
	Thresholds  []Threshold
	Reports     []Report

	sources map[string]*source // by shown name: the job file and its prompt files
}

// Line returns a line of the job file or of a prompt file, by the name that messages
// give it and its number from 1; empty where that is not known. It is for showing
// what a Diagnostic of a later check points at.
func (j *Job) Line(file string, line int) string {
	if src := j.sources[file]; src != nil {
		return src.line(line)
	}
	return ""
}

// A Var is a constant of the job: a value as data files have it (see package dataset).
type Var struct {
	Name  String
	Value any
}

// An Axis is one dimension of the matrix. Exactly one of List, File, Glob and
// Count is set (List may be empty only if File, Glob and Count are not set).
type Axis struct {
	Name  String
	List  []any           // values written in the job file
	File  *dataset.Source // a data file
	Glob  string          // a pattern, relative to the job file's folder
	Count int             // 1 to Count
	// Columns are the fields of the axis's objects in order, nil where its values
	// are no objects or the fields can't be known without reading all of it.
	Columns []string
}

// An Entry is one element of include or exclude: values by variable name, in
// file order.
type Entry struct {
	Pos    Pos
	Names  []String
	Values map[string]any
}

// A Share is a number of rows, or a percentage of them.
type Share struct {
	Count     int64
	Percent   float64 // used instead of Count where IsPercent
	IsPercent bool
}

// Default limits, and why they are what they are.
const (
	DefaultConcurrency = 5    // what the job's hosts can serve is unknown; more only queues in the server
	DefaultNumPredict  = 4096 // no answer without an end; longer answers are asked for by name
)

// A Step is one question asked for each row.
type Step struct {
	ID  String
	Pos Pos // where the step begins in the job file
	// Model is nil only in a job loaded without any model (see Options.Model).
	Model       *Template
	Messages    []Message // system, if any, comes first; a prompt is the user's message
	Options     []Option  // by name, sorted; num_predict is always among them
	OwnLimit    bool      // num_predict is DefaultNumPredict, not the author's
	Format      json.RawMessage
	Schema      *schema.Schema // of Format, where that is a JSON Schema
	JSON        bool           // the answer must be JSON: Format is set
	Think       any            // nil, a bool, or "low", "medium", "high"
	KeepAlive   string         // as Ollama takes it: "5m", "-1", "0"; empty: the server's own
	Timeout     Timeout
	Retry       Retry
	Concurrency int     // a further limit, 0 for none
	Rate        float64 // a further limit in attempts a second, 0 for none
	// Needs are the indexes of the steps whose answers this one reads or which it
	// names under needs, sorted.
	Needs []int
}

// A Message is one message of the conversation: role is system, user, assistant or tool.
type Message struct {
	Role    string
	Content *Template
}

// An Option is one of the server's model options. Value is as written
// (json.Number, string, bool, []any) unless Template is set.
type Option struct {
	Name     String
	Value    any
	Template *Template // a string with {{ }}; exactly one action keeps its type
}

// A Timeout bounds one attempt. Zero durations are no bound.
type Timeout struct {
	Total      time.Duration // the whole attempt, queueing in the server included
	Load       time.Duration // loading the model before a step's first task
	FirstToken time.Duration // until the first chunk
	Idle       time.Duration // between chunks
}

// DefaultTimeout is used where a job says nothing.
var DefaultTimeout = Timeout{Total: 30 * time.Minute, Load: 10 * time.Minute, Idle: time.Minute}

// Retry says how often and at what distance a task is attempted.
type Retry struct {
	Attempts int           // the first included
	Initial  time.Duration // backoff before the second attempt, jittered
	Max      time.Duration // longest backoff
}

// DefaultRetry is used where a job says nothing.
var DefaultRetry = Retry{Attempts: 5, Initial: 500 * time.Millisecond, Max: 30 * time.Second}

// Forms of output files.
const (
	JSONL = "jsonl"
	JSON  = "json"
	CSV   = "csv"
	TSV   = "tsv"
	Text  = "text"
)

// An Output is a family of files: one for each distinct name that File gives.
type Output struct {
	Pos      Pos
	File     *Template
	Form     string    // JSONL, JSON, CSV, TSV or Text
	Template *Template // of one record's text; set exactly when Form is Text
	Header   *Template // text before the first record; nil: none
	Footer   *Template
	Columns  []Column  // nil: the default record
	Key      *Template // json only: an object by Key instead of an array
	Value    *Template
	When     *Template // nil: every row
	Safe     bool      // csv and tsv: make text harmless that a spreadsheet takes for a formula
	Timings  bool      // add all durations to the default record
}

// A Column is one field of a shaped record.
type Column struct {
	Name  String
	Value *Template
}
