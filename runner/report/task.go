package report

import "time"

// A Task is one task of a run with what was measured of it: what Make reads.
type Task struct {
	Row        int64
	RowID      string
	Step       string
	Model      string // the name that it was asked for by; empty where no request could be made
	Level      Level
	Repetition int   // 1 to Bench.Runs, else 0
	Run        int64 // that asked it, 0 where none did; an interrupted one is not the one that went on with it

	Asked    bool // in this run, or in an interrupted one that it went on with; else reused, and no timing of it counts
	Attempts int
	Class    string // of a failure; empty: ok
	Message  string // of a failure
	Question []byte // the canonical JSON of its pipeline.Question; empty where no request could be made, or it was taken over from a file

	Response   string
	Thinking   string
	DoneReason string

	// The server's own account.
	PromptTokens, OutputTokens    int
	Total, Load, Prompt, Generate time.Duration

	Measured *Measured // nil: not measured (a failed one, a reused one, one of an older file)

	// What the job's file adds; nil where that is not at hand, or has changed since.
	Vars    map[string]string  // the row's variables, as text
	Columns map[string]float64 // numeric columns of the outputs, of the row
}

// Measured is what the reader of an answer saw, on one monotonic clock.
type Measured struct {
	Due  time.Time // when the task's first attempt was to start: in an open loop by the schedule
	Sent time.Time // when the request of its last attempt began to be sent, on a connection that was there
	// From Sent.
	First     time.Duration // to the first chunk with text or thinking
	FirstText time.Duration // to the first chunk with text
	Newest    time.Duration // to the last chunk with text or thinking
	Last      time.Duration // to the last byte
	Chunks    int           // chunks with text or thinking

	// Late is how late the last attempt was sent: Sent, less when that attempt was to start.
	Late time.Duration
}
