// Package report makes reports of runs: what they measured, how the models compare, what
// failed and what was answered. A Report is plain data, made from what a store kept of a
// run (Make); the forms in which people and programs read it (terminal, Markdown, HTML,
// JSON, CSV, benchstat's, JUnit) are functions of it and of nothing else, so that any run
// can be reported again in any form, any time later.
//
// The definitions of the figures are those of docs/benchmarks.md. All times are seconds,
// all rates per second, tokens are always the server's own counts.
package report

import "time"

// Version is the version of a Report's JSON. It changes when a reader of the old form
// would go wrong; new fields don't change it.
const Version = 1

// MaxRows is how many rows a report shows one by one.
const MaxRows = 10_000

// A Report is all that the forms tell of a run. Its JSON is described by report.schema.json.
type Report struct {
	Version int    `json:"v"`
	Run     Run    `json:"run"`
	Bench   *Bench `json:"bench,omitempty"` // nil of a run that was no benchmark

	Rows   int64 `json:"rows"`   // of the run; warm-ups are in no count
	OK     int64 `json:"ok"`     // rows
	Failed int64 `json:"failed"` // rows
	Asked  int64 `json:"asked"`  // tasks that were asked in this run
	Reused int64 `json:"reused"` // tasks that had their results before; they are in no timing

	// Groups are what was measured, a group for each model, step and level of load, the
	// fastest first: by median latency, those without one last.
	Groups      []Group       `json:"groups"`
	Comparisons []Comparison  `json:"comparisons,omitempty"` // each pair of models of a step and level
	Failures    []Failure     `json:"failures,omitempty"`    // by cause, the most frequent first
	Hints       []string      `json:"hints,omitempty"`       // what the figures suggest; one sentence each
	Warnings    []string      `json:"warnings,omitempty"`    // why figures are to be doubted; one sentence each
	Missed      []Missed      `json:"missed,omitempty"`      // thresholds and baselines
	Changes     []Change      `json:"changes,omitempty"`     // against a baseline (Against); figure by figure in the order of Groups
	ByAxis      []AxisQuality `json:"by_axis,omitempty"`     // quality by the values of each variable, in the job's order
	Timeline    []Span        `json:"timeline,omitempty"`    // requests and loads by start; at most MaxRows of them
	Answers     []Row         `json:"answers,omitempty"`     // rows one by one: failed ones first, then a seeded sample, both in row order
	Columns     []string      `json:"columns,omitempty"`     // names of the variables of Answers, in the job's order
	Dropped     int64         `json:"dropped,omitempty"`     // rows that Answers leave out, since they are more than MaxRows
}

// A Run is which run it was.
type Run struct {
	ID            int64     `json:"id"`
	Job           string    `json:"job"`
	File          string    `json:"file"`
	Began         time.Time `json:"began"`
	Ended         time.Time `json:"ended,omitzero"` // zero: it goes on, or its process died
	State         string    `json:"state"`          // running, done, interrupted, failed
	Host          string    `json:"host"`           // the machine it ran on
	Runner        string    `json:"runner"`         // its version
	Server        string    `json:"server"`
	ServerVersion string    `json:"server_version,omitempty"`
	Simulated     bool      `json:"simulated,omitempty"`
	Partial       bool      `json:"partial,omitempty"` // over a part of the rows
	// Hardware is what the run's figures depend on beside the models: the machine that
	// runner ran on, and its server where that is another one. Runs with different
	// hardware are not compared unless told to.
	Hardware string  `json:"hardware"`
	Models   []Model `json:"models,omitempty"` // as the server had them, by name
	// Lag is the run's own error: how long its goroutines waited for a processor before
	// they ran, which every time it measured may be late by. Seconds.
	Lag *Lag `json:"lag,omitempty"`
}

// A Model is a model as the server of a run had it.
type Model struct {
	Name   string `json:"name"`
	Digest string `json:"digest"`
	// Accelerated is the share of it that was in a GPU's memory, from 0 (it ran on the
	// CPU) to 1; nil: not known.
	Accelerated *float64 `json:"accelerated,omitempty"`
	Context     int      `json:"context,omitempty"` // tokens that it was loaded with; 0: not known
}

// A Lag is a distribution of delays, in seconds.
type Lag struct {
	Median float64 `json:"median"`
	P99    float64 `json:"p99"`
}

// A Bench is how a benchmark was run.
type Bench struct {
	Runs   int    `json:"runs"`   // repetitions of each row that count
	Warmup int    `json:"warmup"` // repetitions before them that don't
	Order  string `json:"order"`  // grouped or interleaved
	// Levels are the loads that were measured, one after the other; of a benchmark that
	// names none, one.
	Levels []Level `json:"levels,omitempty"`
	// Goodput are the limits that a request has to keep to count for a group's goodput,
	// in seconds by figure: ttft, tpot, latency. Empty: none.
	Goodput map[string]float64 `json:"goodput,omitempty"`
}

// A Level is the load that a group was measured under. One of its fields is set; both
// are 0 of a run that was no benchmark.
type Level struct {
	Concurrency int     `json:"concurrency,omitempty"` // closed loop: requests in flight
	Rate        float64 `json:"rate,omitempty"`        // open loop: starts a second, asked for
}

// A Group is what was measured of one model in one step under one level of load. Figures
// that were not measured are nil; failed requests are in none but Requests and Failures.
type Group struct {
	Model string `json:"model"`
	Step  string `json:"step"`
	Level Level  `json:"level"`

	Requests int            `json:"requests"`
	OK       int            `json:"ok"`
	Failures map[string]int `json:"failures,omitempty"` // by class
	Error    string         `json:"error,omitempty"`    // the first failure's message, where nothing was ok

	// Client side, each on one monotonic clock from the request's sending on a connection
	// that was there.
	Latency  *Stat `json:"latency,omitempty"`          // to the last byte
	TTFT     *Stat `json:"ttft,omitempty"`             // to the first chunk with text or thinking
	TTFText  *Stat `json:"ttf_text,omitempty"`         // to the first chunk with text; nil where no model thought
	TPOT     *Stat `json:"tpot,omitempty"`             // (latency - ttft) / (tokens - 1)
	Chunks   *Stat `json:"inter_chunk,omitempty"`      // between two chunks, the mean of each request
	Schedule *Stat `json:"schedule_latency,omitempty"` // open loop: to the last byte from when it was to start

	// The server's own.
	Load     *Stat `json:"load,omitempty"`     // of the model: before its first request, and of requests that found it not loaded, which are in no other figure
	Queue    *Stat `json:"queue,omitempty"`    // total - load - prompt - generation
	Prompt   *Stat `json:"prompt,omitempty"`   // reading the prompt
	Generate *Stat `json:"generate,omitempty"` // writing the answer

	TokensPerSecond       *Stat `json:"tokens_per_sec,omitempty"`        // of each request: its tokens / generate
	PromptTokensPerSecond *Stat `json:"prompt_tokens_per_sec,omitempty"` // of each request: its prompt's tokens / prompt

	// Of all requests of the group together, from the first sending to the last end.
	HostTokensPerSecond float64 `json:"host_tokens_per_sec,omitempty"`
	RequestsPerSecond   float64 `json:"requests_per_sec,omitempty"`
	PromptTokens        int64   `json:"prompt_tokens"`
	OutputTokens        int64   `json:"output_tokens"`
	// Goodput is the requests per second that kept all of Bench.Goodput; nil without limits.
	Goodput *float64 `json:"goodput,omitempty"`
	Cold    int      `json:"cold,omitempty"` // requests that found the model not loaded

	// The report's own error: how late requests were sent, after when they were to be.
	Late *Stat `json:"late,omitempty"`
	// Doubtful names the figures above (by their JSON names) whose error passes 5% of them.
	Doubtful []string `json:"doubtful,omitempty"`

	Quality []Quality `json:"quality,omitempty"`
	Sample  string    `json:"sample,omitempty"` // an answer
}

// A Stat is a sample of measurements. Low to High is the 95% confidence interval of the
// median; both are nil with fewer than 6 measurements, which can't have one.
type Stat struct {
	N      int      `json:"n"`
	Mean   float64  `json:"mean"`
	Median float64  `json:"median"`
	Low    *float64 `json:"low,omitempty"`
	High   *float64 `json:"high,omitempty"`
	StdDev float64  `json:"stddev"`
	Min    float64  `json:"min"`
	P90    float64  `json:"p90"`
	P95    float64  `json:"p95"`
	P99    float64  `json:"p99"`
	Max    float64  `json:"max"`
	// Histogram counts the measurements in equal steps from Min to Max; empty of few.
	Histogram []int `json:"histogram,omitempty"`
}

// A Quality is a figure of the answers themselves: the share of those that passed the
// checks (Name is "pass_rate", Mean from 0 to 1), or the mean of a numeric column.
type Quality struct {
	Name string  `json:"name"`
	N    int     `json:"n"`
	Mean float64 `json:"mean"`
}

// A Comparison is of two models at one figure of a step and level, by a rank test
// (Mann-Whitney). Where P is not below 0.05, no difference is shown.
type Comparison struct {
	Step   string  `json:"step"`
	Level  Level   `json:"level"`
	Figure string  `json:"figure"` // a JSON name of Group: latency, ttft, tokens_per_sec
	A      string  `json:"a"`      // models; A is the faster one by median
	B      string  `json:"b"`
	Delta  float64 `json:"delta"` // B's median over A's, less 1
	P      float64 `json:"p"`
	Shown  bool    `json:"shown"`         // a difference is shown
	Too    string  `json:"too,omitempty"` // why nothing can be said: "too few", "too much noise"
}

// A Failure is failed tasks with one cause.
type Failure struct {
	Class   string  `json:"class"`
	Message string  `json:"message"` // of the first of them
	Count   int64   `json:"count"`
	Rows    []int64 `json:"rows"` // the first ten
}

// A Missed is a threshold or a baseline that the run did not meet.
type Missed struct {
	Name    string `json:"name"`    // p95_latency
	Message string `json:"message"` // one line that says which and by how much
}

// A Span is what the timeline shows: a request, or the load of a model.
type Span struct {
	Kind  string  `json:"kind"` // request or load
	Model string  `json:"model"`
	Step  string  `json:"step,omitempty"`
	Row   int64   `json:"row,omitempty"`
	From  float64 `json:"from"`            // seconds since the run began
	To    float64 `json:"to"`              //
	Queue float64 `json:"queue,omitempty"` // seconds of it that the request waited in the server
	First float64 `json:"first,omitempty"` // seconds from From to its first token; 0: not known
	Error string  `json:"error,omitempty"` // class of a failed one
}

// A Row is what was answered to one question, for reading the answers of models side by
// side: rows of the job that differ only in their model (and in repetition and load) are
// one Row, named by the first of them.
type Row struct {
	Number int64             `json:"row"`
	ID     string            `json:"id"`
	Vars   map[string]string `json:"vars,omitempty"` // those that all of its cells share
	Cells  []Cell            `json:"cells"`          // by step, in it by model, in the order of the report's groups
}

// A Cell is one step of a row under one model: its first failed task, else its first one.
type Cell struct {
	Step     string  `json:"step"`
	Model    string  `json:"model,omitempty"`
	Row      int64   `json:"row,omitempty"`    // the row of its task
	Count    int     `json:"count"`            // tasks that it stands for: repetitions, levels of load
	Prompt   string  `json:"prompt,omitempty"` // the newest message of the user
	Response string  `json:"response,omitempty"`
	Class    string  `json:"class,omitempty"` // of a failure
	Message  string  `json:"message,omitempty"`
	Reused   bool    `json:"reused,omitempty"`
	Latency  float64 `json:"latency,omitempty"` // seconds; 0: not measured
	TTFT     float64 `json:"ttft,omitempty"`
	Tokens   int     `json:"tokens,omitempty"` // of the answer
	Speed    float64 `json:"tokens_per_sec,omitempty"`
}
