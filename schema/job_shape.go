// Code generated from job.schema.json by "go test ./schema -run TestJobShape -update"; DO NOT EDIT.

package schema

var shape1 = Shape{
	Description: "The version of the job language. The only one is 1, and it may be left out.",
	Kinds:       []string{"integer"},
	Wants:       []string{"1"},
	Enum:        []string{"1"},
	Examples:    []string{"1"},
}

var shape2 = Shape{
	Description: "The job's name in messages and results. Default: the file's name without its extension.",
	Kinds:       []string{"string"},
	Wants:       []string{"text"},
	MinLength:   1,
	MaxLength:   100,
	Examples:    []string{`"translate"`},
}

var shape4 = Shape{
	Name:        "value",
	Title:       "a value",
	Description: "A constant, read in templates by its name. It keeps its spelling: 1.10 stays 1.10.",
}

var shape3 = Shape{
	Description: "Constants for the templates: `vars: {tone: neutral}` is read as {{ .tone }}. `--var tone=formal` on the command line replaces one.",
	Kinds:       []string{"object"},
	Wants:       []string{"a mapping"},
	Others:      &shape4,
	MaxKeys:     1000,
	Examples:    []string{`{"tone": "neutral"}`},
}

var shape8 = Shape{
	Name:        "value",
	Title:       "a value",
	Description: "The value that the variable has in these rows.",
}

var shape7 = Shape{
	Name:        "entry",
	Title:       "an entry of include or exclude",
	Description: "Values by variable name.",
	Kinds:       []string{"object"},
	Wants:       []string{"a mapping"},
	Others:      &shape8,
	MinKeys:     1,
	MaxKeys:     100,
}

var shape6 = Shape{
	Description: "Adds to rows, or adds rows, as GitHub Actions does: an entry joins every row whose axis values it would not change and sets its other variables there; an entry that fits no row becomes a new row at the end.",
	Kinds:       []string{"array"},
	Wants:       []string{"a list"},
	Items:       &shape7,
	MaxItems:    10000,
	Examples:    []string{`[{"language": "German", "tone": "formal"}]`},
}

var shape10 = Shape{
	Name:        "entry",
	Title:       "an entry of include or exclude",
	Description: "Values by variable name.",
	Kinds:       []string{"object"},
	Wants:       []string{"a mapping"},
	Others:      &shape8,
	MinKeys:     1,
	MaxKeys:     100,
}

var shape9 = Shape{
	Description: "Drops every row that matches all keys of one of these entries. Of an object, a part is enough: `{sentence: {id: s3}}`.",
	Kinds:       []string{"array"},
	Wants:       []string{"a list"},
	Items:       &shape10,
	MaxItems:    10000,
	Examples:    []string{`[{"language": "French", "sentence": {"id": "s3"}}]`},
}

var shape12 = Shape{
	Description: "A data file, relative to the job file: csv or tsv with a header, jsonl, json or yaml with a list, or txt with a value on each line.",
	Kinds:       []string{"string"},
	Wants:       []string{"text"},
	MinLength:   1,
	Examples:    []string{`"data/sentences.csv"`},
}

var shape13 = Shape{
	Description: "The character between the fields of a csv file. Default: a comma.",
	Kinds:       []string{"string"},
	Wants:       []string{"text"},
	MinLength:   1,
	MaxLength:   1,
	Examples:    []string{`";"`},
}

var shape14 = Shape{
	Description: "A pattern for files, relative to the job file; ** stands for any folders. In templates: {{ .doc.path }}, {{ .doc.dir }}, {{ .doc.stem }} and {{ .doc.text }}.",
	Kinds:       []string{"string"},
	Wants:       []string{"text"},
	MinLength:   1,
	Examples:    []string{`"docs/**/*.md"`},
}

var shape15 = Shape{
	Description: `The numbers from 1 to this one: the same prompt many times over, told apart by something such as options: {seed: "{{ .run }}"}.`,
	Kinds:       []string{"integer"},
	Wants:       []string{"a whole number"},
	Min:         "1",
	Max:         "1000000000",
	Examples:    []string{"50"},
}

var shape16 = Shape{
	Name:        "value",
	Title:       "a value",
	Description: "One value of the axis: text, a number, or a mapping whose fields templates read as {{ .axis.field }}.",
}

var shape11 = Shape{
	Name:        "axis",
	Title:       "an axis",
	Description: "The values of one variable: a list, a data file, the files that a pattern finds, or the numbers 1 to N.",
	Kinds:       []string{"array", "object"},
	Wants:       []string{"a list", "a mapping with file, separator, glob or count"},
	Keys: []Key{
		{"file", &shape12},
		{"separator", &shape13},
		{"glob", &shape14},
		{"count", &shape15},
	},
	Items:    &shape16,
	MinItems: 1,
	Examples: []string{`["Spanish", "French"]`, `{"file": "data/sentences.csv"}`, `{"glob": "docs/**/*.md"}`, `{"count": 50}`},
}

var shape5 = Shape{
	Description: "The axes: each combination of their values is one row, in the order written here; the last axis varies fastest. No matrix: one row.",
	Kinds:       []string{"object"},
	Wants:       []string{"a mapping"},
	Keys: []Key{
		{"include", &shape6},
		{"exclude", &shape9},
	},
	Others:   &shape11,
	MaxKeys:  100,
	Examples: []string{`{"language": ["Spanish", "French"], "sentence": {"file": "data/sentences.csv"}}`},
}

var shape17 = Shape{
	Description: "A name for each row, unique in the job, made from its variables. Default: the row's number, from 0.",
	Kinds:       []string{"string"},
	Wants:       []string{"text"},
	MinLength:   1,
	Examples:    []string{`"{{ .sentence.id }}-{{ .language | lower }}"`},
}

var shape18 = Shape{
	Name:        "model",
	Description: "The model's name as `ollama list` shows it. May be a template over the row's variables, so that each row has its own. Default: -m on the command line.",
	Kinds:       []string{"string"},
	Wants:       []string{"text"},
	MinLength:   1,
	Examples:    []string{`"gemma3:12b"`, `"{{ .model }}"`},
}

var shape20 = Shape{
	Description: "A file that holds the prompt, relative to the job file.",
	Kinds:       []string{"string"},
	Wants:       []string{"text"},
	MinLength:   1,
	Examples:    []string{`"prompts/translate.tmpl"`},
}

var shape19 = Shape{
	Name:        "prompt",
	Description: "What the model is asked: a template over the row's variables and earlier steps' answers. Quote it, or write it as a block after |.",
	Kinds:       []string{"string", "object"},
	Wants:       []string{"text", "{file: ...}"},
	Keys: []Key{
		{"file", &shape20},
	},
	Required:  []string{"file"},
	MinLength: 1,
	Examples:  []string{`"Translate to {{ .language }}: {{ .sentence.text }}"`, `{"file": "prompts/translate.tmpl"}`},
}

var shape23 = Shape{
	Description: "Who speaks: system, user, assistant or tool.",
	Kinds:       []string{"string"},
	Wants:       []string{`"system"`, `"user"`, `"assistant"`, `"tool"`},
	Enum:        []string{`"system"`, `"user"`, `"assistant"`, `"tool"`},
	Examples:    []string{`"user"`},
}

var shape24 = Shape{
	Description: "What is said: a template over the row's variables and earlier steps' answers.",
	Kinds:       []string{"string"},
	Wants:       []string{"text"},
	Examples:    []string{`"Translate to {{ .language }}: {{ .sentence.text }}"`},
}

var shape22 = Shape{
	Title:       "a message",
	Description: "One message of the conversation.",
	Kinds:       []string{"object"},
	Wants:       []string{"a mapping with role and content"},
	Keys: []Key{
		{"role", &shape23},
		{"content", &shape24},
	},
	Required: []string{"role", "content"},
}

var shape21 = Shape{
	Name:        "messages",
	Description: "A whole conversation instead of a prompt: each message has a role and a content, which is a template.",
	Kinds:       []string{"array"},
	Wants:       []string{"a list"},
	Items:       &shape22,
	MinItems:    1,
	MaxItems:    1000,
	Examples:    []string{`[{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi!"}, {"role": "user", "content": "{{ .question }}"}]`},
}

var shape25 = Shape{
	Name:        "system",
	Description: "The system message, before the prompt: who the model is to be and how it is to answer. A template, as the prompt is.",
	Kinds:       []string{"string"},
	Wants:       []string{"text"},
	MinLength:   1,
	Examples:    []string{`"You are a translator. Reply with the translation only."`},
}

var shape27 = Shape{
	Name:        "expression",
	Title:       "a template",
	Description: "The longest answer, in tokens; -1 for no limit of ours. Default: 4096, and an answer that reaches that default fails as cut.",
	Kinds:       []string{"integer", "string"},
	Wants:       []string{"a whole number", "a template"},
	Pattern:     &Pattern{Text: `\{\{`},
	Min:         "-2",
	Examples:    []string{"256"},
}

var shape28 = Shape{
	Name:        "expression",
	Title:       "a template",
	Description: "The context's length in tokens: the prompt and the answer must fit. Sent only when written here; another value loads the model anew. Default: the server's own.",
	Kinds:       []string{"integer", "string"},
	Wants:       []string{"a whole number", "a template"},
	Pattern:     &Pattern{Text: `\{\{`},
	Min:         "1",
	Examples:    []string{"8192"},
}

var shape29 = Shape{
	Name:        "expression",
	Title:       "a template",
	Description: "How freely the next token is chosen: 0 always takes the likeliest, 1 and more is livelier. Default: the model's own.",
	Kinds:       []string{"number", "string"},
	Wants:       []string{"a number", "a template"},
	Pattern:     &Pattern{Text: `\{\{`},
	Min:         "0",
	Examples:    []string{"0", "0.8"},
}

var shape30 = Shape{
	Name:        "expression",
	Title:       "a template",
	Description: "The seed of the random numbers; with the same seed and prompt an answer can be repeated.",
	Kinds:       []string{"integer", "string"},
	Wants:       []string{"a whole number", "a template"},
	Pattern:     &Pattern{Text: `\{\{`},
	Examples:    []string{"7"},
}

var shape32 = Shape{
	Description: "A text at which the answer ends.",
	Kinds:       []string{"string"},
	Wants:       []string{"text"},
}

var shape31 = Shape{
	Name:        "expression",
	Title:       "a template",
	Description: "Texts at which the answer ends.",
	Kinds:       []string{"array", "string"},
	Wants:       []string{"a list", "a template"},
	Items:       &shape32,
	Pattern:     &Pattern{Text: `\{\{`},
	Examples:    []string{`["\n\n", "###"]`},
}

var shape33 = Shape{
	Name:        "expression",
	Title:       "a template",
	Description: "Choose among this many of the likeliest tokens; 0 for all.",
	Kinds:       []string{"integer", "string"},
	Wants:       []string{"a whole number", "a template"},
	Pattern:     &Pattern{Text: `\{\{`},
	Min:         "0",
	Examples:    []string{"40"},
}

var shape34 = Shape{
	Name:        "expression",
	Title:       "a template",
	Description: "Choose among the likeliest tokens that together have this probability, 0 to 1.",
	Kinds:       []string{"number", "string"},
	Wants:       []string{"a number", "a template"},
	Pattern:     &Pattern{Text: `\{\{`},
	Min:         "0",
	Max:         "1",
	Examples:    []string{"0.9"},
}

var shape35 = Shape{
	Name:        "expression",
	Title:       "a template",
	Description: "Leave out tokens less likely than this part of the likeliest one, 0 to 1.",
	Kinds:       []string{"number", "string"},
	Wants:       []string{"a number", "a template"},
	Pattern:     &Pattern{Text: `\{\{`},
	Min:         "0",
	Max:         "1",
	Examples:    []string{"0.05"},
}

var shape36 = Shape{
	Name:        "expression",
	Title:       "a template",
	Description: "Locally typical sampling, 0 to 1; 1 turns it off.",
	Kinds:       []string{"number", "string"},
	Wants:       []string{"a number", "a template"},
	Pattern:     &Pattern{Text: `\{\{`},
	Min:         "0",
	Max:         "1",
	Examples:    []string{"1"},
}

var shape37 = Shape{
	Name:        "expression",
	Title:       "a template",
	Description: "How many tokens back repetitions are looked for; 0 for none, -1 for the whole context.",
	Kinds:       []string{"integer", "string"},
	Wants:       []string{"a whole number", "a template"},
	Pattern:     &Pattern{Text: `\{\{`},
	Min:         "-1",
	Examples:    []string{"64"},
}

var shape38 = Shape{
	Name:        "expression",
	Title:       "a template",
	Description: "How much repetitions are held back; 1 for not at all.",
	Kinds:       []string{"number", "string"},
	Wants:       []string{"a number", "a template"},
	Pattern:     &Pattern{Text: `\{\{`},
	Examples:    []string{"1.1"},
}

var shape39 = Shape{
	Name:        "expression",
	Title:       "a template",
	Description: "How much tokens that were used before are held back; 0 for not at all.",
	Kinds:       []string{"number", "string"},
	Wants:       []string{"a number", "a template"},
	Pattern:     &Pattern{Text: `\{\{`},
	Examples:    []string{"0"},
}

var shape40 = Shape{
	Name:        "expression",
	Title:       "a template",
	Description: "How much tokens are held back for each time they were used; 0 for not at all.",
	Kinds:       []string{"number", "string"},
	Wants:       []string{"a number", "a template"},
	Pattern:     &Pattern{Text: `\{\{`},
	Examples:    []string{"0"},
}

var shape41 = Shape{
	Name:        "expression",
	Title:       "a template",
	Description: "How many tokens of the prompt are kept when the context is full.",
	Kinds:       []string{"integer", "string"},
	Wants:       []string{"a whole number", "a template"},
	Pattern:     &Pattern{Text: `\{\{`},
	Min:         "-1",
	Examples:    []string{"4"},
}

var shape42 = Shape{
	Name:        "expression",
	Title:       "a template",
	Description: "How many tokens of the prompt are worked on at once; another value loads the model anew.",
	Kinds:       []string{"integer", "string"},
	Wants:       []string{"a whole number", "a template"},
	Pattern:     &Pattern{Text: `\{\{`},
	Min:         "1",
	Examples:    []string{"512"},
}

var shape43 = Shape{
	Name:        "expression",
	Title:       "a template",
	Description: "How many layers go to the GPU; -1 lets the server choose, 0 is the CPU alone. Another value loads the model anew.",
	Kinds:       []string{"integer", "string"},
	Wants:       []string{"a whole number", "a template"},
	Pattern:     &Pattern{Text: `\{\{`},
	Min:         "-1",
	Examples:    []string{"0"},
}

var shape44 = Shape{
	Name:        "expression",
	Title:       "a template",
	Description: "The GPU for small tensors where there are several; another value loads the model anew.",
	Kinds:       []string{"integer", "string"},
	Wants:       []string{"a whole number", "a template"},
	Pattern:     &Pattern{Text: `\{\{`},
	Min:         "0",
	Examples:    []string{"0"},
}

var shape45 = Shape{
	Name:        "expression",
	Title:       "a template",
	Description: "Whether the model's file is mapped into memory; another value loads the model anew.",
	Kinds:       []string{"boolean", "string"},
	Wants:       []string{"true", "false", "a template"},
	Pattern:     &Pattern{Text: `\{\{`},
	Examples:    []string{"true"},
}

var shape46 = Shape{
	Name:        "expression",
	Title:       "a template",
	Description: "How many CPU threads the model gets; another value loads the model anew. Default: the server's choice.",
	Kinds:       []string{"integer", "string"},
	Wants:       []string{"a whole number", "a template"},
	Pattern:     &Pattern{Text: `\{\{`},
	Min:         "0",
	Examples:    []string{"8"},
}

var shape26 = Shape{
	Name:        "options",
	Title:       "the options",
	Description: "The model's options by Ollama's own names. A step's options are added to the job's, and win. A value may be a template: `temperature: \"{{ .temperature }}\"`.",
	Kinds:       []string{"object"},
	Wants:       []string{"a mapping"},
	Keys: []Key{
		{"num_predict", &shape27},
		{"num_ctx", &shape28},
		{"temperature", &shape29},
		{"seed", &shape30},
		{"stop", &shape31},
		{"top_k", &shape33},
		{"top_p", &shape34},
		{"min_p", &shape35},
		{"typical_p", &shape36},
		{"repeat_last_n", &shape37},
		{"repeat_penalty", &shape38},
		{"presence_penalty", &shape39},
		{"frequency_penalty", &shape40},
		{"num_keep", &shape41},
		{"num_batch", &shape42},
		{"num_gpu", &shape43},
		{"main_gpu", &shape44},
		{"use_mmap", &shape45},
		{"num_thread", &shape46},
	},
	Examples: []string{`{"temperature": 0, "seed": 7, "num_predict": 256}`},
}

var shape49 = Shape{
	Name:        "value",
	Title:       "a value",
	Description: "Text, a number, true or false, a list, or a mapping. Numbers keep their spelling.",
}

var shape48 = Shape{
	Title:       "an option",
	Description: "The option's value, sent as it is; text may be a template.",
	Kinds:       []string{"string", "number", "boolean", "array"},
	Wants:       []string{"text", "a number", "true", "false", "a list"},
	Items:       &shape49,
}

var shape47 = Shape{
	Name:        "extra_options",
	Title:       "the extra options",
	Description: "Options of a newer Ollama than runner knows, sent as they are. What options knows belongs there.",
	Kinds:       []string{"object"},
	Wants:       []string{"a mapping"},
	Others:      &shape48,
	MaxKeys:     100,
	Examples:    []string{`{"new_sampler": 0.5}`},
}

var shape50 = Shape{
	Name:        "format",
	Title:       "a JSON Schema, or a file that holds one",
	Description: "What the answer must be: json for any JSON, or a JSON Schema, written here or in a file. It is sent to Ollama, and the answer is checked when it is in; templates read it as .json.",
	Kinds:       []string{"string", "object"},
	Wants:       []string{`"json"`, "a JSON Schema, or a file that holds one"},
	Enum:        []string{`"json"`},
	Examples:    []string{`"json"`, `{"type": "object", "required": ["score"], "properties": {"score": {"type": "integer", "minimum": 1, "maximum": 5}}}`, `{"file": "schemas/score.json"}`},
}

var shape51 = Shape{
	Name:        "think",
	Description: "Whether a model that can think does so before it answers, or how much: low, medium or high. Default: the model's own way.",
	Kinds:       []string{"boolean", "string"},
	Wants:       []string{"true", "false", `"low"`, `"medium"`, `"high"`},
	Enum:        []string{`"low"`, `"medium"`, `"high"`},
	Examples:    []string{"false", `"high"`},
}

var shape52 = Shape{
	Name:        "keep_alive",
	Title:       "a duration such as 10m",
	Description: "How long the model stays loaded after the last request: a duration (10m), 0 to unload it at once, -1 for ever. A bare number is in seconds. Default: the server's own.",
	Kinds:       []string{"string", "integer"},
	Wants:       []string{"a duration such as 10m", "a whole number"},
	Pattern:     &Pattern{Text: `^(-?[0-9]+|-?([0-9]+(\.[0-9]+)?(ms|s|m|h))+)$`},
	Examples:    []string{`"10m"`, "-1"},
}

var shape54 = Shape{
	Name:        "bound",
	Title:       "a duration such as 5m",
	Description: "The whole attempt, waiting in the server's queue included. Default: 30m.",
	Kinds:       []string{"string"},
	Wants:       []string{"a duration such as 5m"},
	Pattern:     &Pattern{Text: `^(none|([0-9]+(\.[0-9]+)?(ms|s|m|h))+)$`},
	Examples:    []string{`"30s"`, `"none"`},
}

var shape55 = Shape{
	Name:        "bound",
	Title:       "a duration such as 5m",
	Description: "Loading the model before the first request. Default: 10m.",
	Kinds:       []string{"string"},
	Wants:       []string{"a duration such as 5m"},
	Pattern:     &Pattern{Text: `^(none|([0-9]+(\.[0-9]+)?(ms|s|m|h))+)$`},
	Examples:    []string{`"30s"`, `"none"`},
}

var shape56 = Shape{
	Name:        "bound",
	Title:       "a duration such as 5m",
	Description: "Until the first piece of the answer. Default: none, since a request may wait in the server's queue.",
	Kinds:       []string{"string"},
	Wants:       []string{"a duration such as 5m"},
	Pattern:     &Pattern{Text: `^(none|([0-9]+(\.[0-9]+)?(ms|s|m|h))+)$`},
	Examples:    []string{`"30s"`, `"none"`},
}

var shape57 = Shape{
	Name:        "bound",
	Title:       "a duration such as 5m",
	Description: "Between two pieces of the answer. Default: 1m.",
	Kinds:       []string{"string"},
	Wants:       []string{"a duration such as 5m"},
	Pattern:     &Pattern{Text: `^(none|([0-9]+(\.[0-9]+)?(ms|s|m|h))+)$`},
	Examples:    []string{`"30s"`, `"none"`},
}

var shape53 = Shape{
	Name:        "timeout",
	Title:       "bounds for the parts of an attempt",
	Description: "How long one attempt may take: a duration, or bounds for its parts. Default: 30m in all, 10m for loading the model, 1m between two pieces of the answer.",
	Kinds:       []string{"string", "object"},
	Wants:       []string{"a duration such as 5m", "a mapping with total, load, first_token or idle"},
	Keys: []Key{
		{"total", &shape54},
		{"load", &shape55},
		{"first_token", &shape56},
		{"idle", &shape57},
	},
	Pattern:  &Pattern{Text: `^(none|([0-9]+(\.[0-9]+)?(ms|s|m|h))+)$`},
	MinKeys:  1,
	Examples: []string{`"5m"`, `{"total": "10m", "idle": "90s"}`},
}

var shape59 = Shape{
	Description: "The most attempts for one request, the first included. Default: 5. 1 attempts nothing again.",
	Kinds:       []string{"integer"},
	Wants:       []string{"a whole number"},
	Min:         "1",
	Max:         "1000",
	Examples:    []string{"5"},
}

var shape61 = Shape{
	Name:        "duration",
	Title:       "a duration such as 5m",
	Description: "The wait before the second attempt. Default: 500ms.",
	Kinds:       []string{"string"},
	Wants:       []string{"a duration such as 5m"},
	Pattern:     &Pattern{Text: `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`},
	Examples:    []string{`"30s"`, `"5m"`},
}

var shape62 = Shape{
	Name:        "duration",
	Title:       "a duration such as 5m",
	Description: "The longest wait. Default: 30s.",
	Kinds:       []string{"string"},
	Wants:       []string{"a duration such as 5m"},
	Pattern:     &Pattern{Text: `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`},
	Examples:    []string{`"30s"`, `"5m"`},
}

var shape60 = Shape{
	Title:       "the wait between attempts",
	Description: "The wait before the next attempt. It doubles each time, with some chance in it.",
	Kinds:       []string{"object"},
	Wants:       []string{"a mapping with initial or max"},
	Keys: []Key{
		{"initial", &shape61},
		{"max", &shape62},
	},
	MinKeys: 1,
}

var shape58 = Shape{
	Name:        "retry",
	Title:       "how to attempt again",
	Description: "How often a request is attempted, and at what distance, when the connection or the server fails.",
	Kinds:       []string{"object"},
	Wants:       []string{"a mapping with attempts or backoff"},
	Keys: []Key{
		{"attempts", &shape59},
		{"backoff", &shape60},
	},
	MinKeys:  1,
	Examples: []string{`{"attempts": 3, "backoff": {"initial": "1s", "max": "10s"}}`},
}

var shape63 = Shape{
	Description: "How many requests are in flight at once. Default: 5. Ollama works on OLLAMA_NUM_PARALLEL of them side by side (1 unless its owner set more); the others wait in its queue.",
	Kinds:       []string{"integer"},
	Wants:       []string{"a whole number"},
	Min:         "1",
	Examples:    []string{"5"},
}

var shape64 = Shape{
	Name:        "rate",
	Title:       "a rate such as 10/s",
	Description: "At most so many attempts a second (s), minute (m) or hour (h), evenly spaced; retries count. Default: no limit.",
	Kinds:       []string{"string"},
	Wants:       []string{"a rate such as 10/s"},
	Pattern:     &Pattern{Text: `^[0-9]+(\.[0-9]+)?/(s|m|h)$`},
	Examples:    []string{`"10/s"`, `"600/h"`},
}

var shape65 = Shape{
	Description: "How many rows may fail before the run counts as failed (exit code 1): a count, or a percentage of the rows. Default: 0. The other rows are asked in either case.",
	Kinds:       []string{"integer", "string"},
	Wants:       []string{"a whole number", "text"},
	Pattern:     &Pattern{Text: `^[0-9]+(\.[0-9]+)?%$`},
	Min:         "0",
	Examples:    []string{"0", `"5%"`},
}

var shape67 = Shape{
	Description: "How often each row is asked and measured: each repetition is a row with its record, and templates read its number as {{ .repetition }}. Default: 3; at least 6 for intervals and comparisons.",
	Kinds:       []string{"integer"},
	Wants:       []string{"a whole number"},
	Min:         "1",
	Max:         "1000000",
	Examples:    []string{"20"},
}

var shape68 = Shape{
	Description: "How often each row is asked before that, for each model and load: those answers are in no output and no report. Default: 1.",
	Kinds:       []string{"integer"},
	Wants:       []string{"a whole number"},
	Min:         "0",
	Max:         "1000000",
	Examples:    []string{"1"},
}

var shape69 = Shape{
	Description: "grouped (the default): all that one model is asked, then the next model, so that no model is loaded twice. interleaved: every repetition goes over all models, so that what changes meanwhile falls on all of them alike.",
	Wants:       []string{`"grouped"`, `"interleaved"`},
	Enum:        []string{`"grouped"`, `"interleaved"`},
	Examples:    []string{`"interleaved"`},
}

var shape71 = Shape{
	Kinds: []string{"integer"},
	Wants: []string{"a whole number"},
	Min:   "1",
	Max:   "4096",
}

var shape70 = Shape{
	Title:       "requests in flight",
	Description: "Requests in flight while it measures: a number, or several, each of which is measured in turn. Default: the job's concurrency.",
	Kinds:       []string{"integer", "array"},
	Wants:       []string{"a whole number", "a list"},
	Items:       &shape71,
	Min:         "1",
	Max:         "4096",
	MinItems:    1,
	MaxItems:    100,
	Examples:    []string{"8", "[1, 2, 4, 8]"},
}

var shape73 = Shape{
	Name:        "rate",
	Title:       "a rate such as 10/s",
	Description: "At most so many attempts a second (s), minute (m) or hour (h).",
	Kinds:       []string{"string"},
	Wants:       []string{"a rate such as 10/s"},
	Pattern:     &Pattern{Text: `^[0-9]+(\.[0-9]+)?/(s|m|h)$`},
	Examples:    []string{`"10/s"`, `"600/h"`},
}

var shape72 = Shape{
	Name:        "rate",
	Title:       "starts per second",
	Description: "Makes the load open: requests start at this rate whether or not earlier ones have been answered, and latency counts from when each was to start. A rate, or several, each of which is measured in turn. Not together with concurrency.",
	Kinds:       []string{"string", "array"},
	Wants:       []string{"a rate such as 10/s", "a list"},
	Items:       &shape73,
	Pattern:     &Pattern{Text: `^[0-9]+(\.[0-9]+)?/(s|m|h)$`},
	MinItems:    1,
	MaxItems:    100,
	Examples:    []string{`"2/s"`, `["1/s", "2/s", "4/s"]`},
}

var shape75 = Shape{
	Name:        "duration",
	Title:       "a duration such as 5m",
	Description: "The longest time to the first token.",
	Kinds:       []string{"string"},
	Wants:       []string{"a duration such as 5m"},
	Pattern:     &Pattern{Text: `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`},
	Examples:    []string{`"30s"`, `"5m"`},
}

var shape76 = Shape{
	Name:        "duration",
	Title:       "a duration such as 5m",
	Description: "The longest time for each further token, on average over the answer.",
	Kinds:       []string{"string"},
	Wants:       []string{"a duration such as 5m"},
	Pattern:     &Pattern{Text: `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`},
	Examples:    []string{`"30s"`, `"5m"`},
}

var shape77 = Shape{
	Name:        "duration",
	Title:       "a duration such as 5m",
	Description: "The longest time to the last token.",
	Kinds:       []string{"string"},
	Wants:       []string{"a duration such as 5m"},
	Pattern:     &Pattern{Text: `^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$`},
	Examples:    []string{`"30s"`, `"5m"`},
}

var shape74 = Shape{
	Title:       "limits of a good answer",
	Description: "Limits that an answer has to keep, all of them, to count for the goodput: the requests per second that users would call good.",
	Kinds:       []string{"object"},
	Wants:       []string{"a mapping with ttft, tpot or latency"},
	Keys: []Key{
		{"ttft", &shape75},
		{"tpot", &shape76},
		{"latency", &shape77},
	},
	MinKeys:  1,
	Examples: []string{`{"ttft": "500ms", "latency": "10s"}`},
}

var shape66 = Shape{
	Title:       "how the benchmark is run",
	Description: "Makes the job a benchmark: each row is asked several times and measured anew by every command; what is measured stands in its reports. An empty mapping takes the defaults.",
	Kinds:       []string{"object"},
	Wants:       []string{"a mapping"},
	Keys: []Key{
		{"runs", &shape67},
		{"warmup", &shape68},
		{"order", &shape69},
		{"concurrency", &shape70},
		{"rate", &shape72},
		{"goodput", &shape74},
	},
	Examples: []string{`{"runs": 20, "warmup": 1}`, `{"runs": 10, "concurrency": [1, 2, 4, 8]}`},
}

var shape79 = Shape{
	Title:       "a threshold",
	Description: `A limit: ">= 95%", "2s", "> 40". Without a sign a duration is the most allowed, and anything else the least.`,
	Kinds:       []string{"number", "string"},
	Wants:       []string{"a number", `a limit such as ">= 95%"`},
	Pattern:     &Pattern{Text: `^((>=|<=|>|<) *)?([0-9]+(\.[0-9]+)?%?|([0-9]+(\.[0-9]+)?(ms|s|m|h))+)$`},
	Examples:    []string{`">= 95%"`, `"2s"`, "4"},
}

var shape78 = Shape{
	Title:       "the thresholds",
	Description: "What a run has to reach; one that misses any of them ends with exit code 1 and says which and by how much. By figure (pass_rate, p95_latency, ttft, tokens_per_sec and so on; a numeric column of the outputs), or by STEP.FIGURE; every model has to keep it.",
	Kinds:       []string{"object"},
	Wants:       []string{"a mapping"},
	Others:      &shape79,
	MinKeys:     1,
	MaxKeys:     100,
	Examples:    []string{`{"pass_rate": ">= 95%", "p95_latency": "2s", "tokens_per_sec": ">= 40"}`},
}

var shape82 = Shape{
	Description: "The step's name, unique in the job: later steps and outputs read its answer as {{ .steps.ID.response }}.",
	Kinds:       []string{"string"},
	Wants:       []string{"text"},
	Pattern:     &Pattern{Text: "^[A-Za-z_][A-Za-z0-9_]*$"},
	MaxLength:   100,
	Examples:    []string{`"draft"`},
}

var shape84 = Shape{
	Description: "The id of another step.",
	Kinds:       []string{"string"},
	Wants:       []string{"text"},
}

var shape83 = Shape{
	Description: "Steps that must be done first though no template here reads their answers. What a template reads needs no mention.",
	Kinds:       []string{"array"},
	Wants:       []string{"a list"},
	Items:       &shape84,
	MaxItems:    200,
	Examples:    []string{`["draft"]`},
}

var shape85 = Shape{
	Name:        "model",
	Description: "The model's name as `ollama list` shows it. May be a template over the row's variables, so that each row has its own. Default: -m on the command line.",
	Kinds:       []string{"string"},
	Wants:       []string{"text"},
	MinLength:   1,
	Examples:    []string{`"gemma3:12b"`, `"{{ .model }}"`},
}

var shape86 = Shape{
	Name:        "prompt",
	Description: "What the model is asked: a template over the row's variables and earlier steps' answers. Quote it, or write it as a block after |.",
	Kinds:       []string{"string", "object"},
	Wants:       []string{"text", "{file: ...}"},
	Keys: []Key{
		{"file", &shape20},
	},
	Required:  []string{"file"},
	MinLength: 1,
	Examples:  []string{`"Translate to {{ .language }}: {{ .sentence.text }}"`, `{"file": "prompts/translate.tmpl"}`},
}

var shape87 = Shape{
	Name:        "messages",
	Description: "A whole conversation instead of a prompt: each message has a role and a content, which is a template.",
	Kinds:       []string{"array"},
	Wants:       []string{"a list"},
	Items:       &shape22,
	MinItems:    1,
	MaxItems:    1000,
	Examples:    []string{`[{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi!"}, {"role": "user", "content": "{{ .question }}"}]`},
}

var shape88 = Shape{
	Name:        "system",
	Description: "The system message, before the prompt: who the model is to be and how it is to answer. A template, as the prompt is.",
	Kinds:       []string{"string"},
	Wants:       []string{"text"},
	MinLength:   1,
	Examples:    []string{`"You are a translator. Reply with the translation only."`},
}

var shape89 = Shape{
	Name:        "options",
	Title:       "the options",
	Description: "The model's options by Ollama's own names. A step's options are added to the job's, and win. A value may be a template: `temperature: \"{{ .temperature }}\"`.",
	Kinds:       []string{"object"},
	Wants:       []string{"a mapping"},
	Keys: []Key{
		{"num_predict", &shape27},
		{"num_ctx", &shape28},
		{"temperature", &shape29},
		{"seed", &shape30},
		{"stop", &shape31},
		{"top_k", &shape33},
		{"top_p", &shape34},
		{"min_p", &shape35},
		{"typical_p", &shape36},
		{"repeat_last_n", &shape37},
		{"repeat_penalty", &shape38},
		{"presence_penalty", &shape39},
		{"frequency_penalty", &shape40},
		{"num_keep", &shape41},
		{"num_batch", &shape42},
		{"num_gpu", &shape43},
		{"main_gpu", &shape44},
		{"use_mmap", &shape45},
		{"num_thread", &shape46},
	},
	Examples: []string{`{"temperature": 0, "seed": 7, "num_predict": 256}`},
}

var shape90 = Shape{
	Name:        "extra_options",
	Title:       "the extra options",
	Description: "Options of a newer Ollama than runner knows, sent as they are. What options knows belongs there.",
	Kinds:       []string{"object"},
	Wants:       []string{"a mapping"},
	Others:      &shape48,
	MaxKeys:     100,
	Examples:    []string{`{"new_sampler": 0.5}`},
}

var shape91 = Shape{
	Name:        "format",
	Title:       "a JSON Schema, or a file that holds one",
	Description: "What the answer must be: json for any JSON, or a JSON Schema, written here or in a file. It is sent to Ollama, and the answer is checked when it is in; templates read it as .json.",
	Kinds:       []string{"string", "object"},
	Wants:       []string{`"json"`, "a JSON Schema, or a file that holds one"},
	Enum:        []string{`"json"`},
	Examples:    []string{`"json"`, `{"type": "object", "required": ["score"], "properties": {"score": {"type": "integer", "minimum": 1, "maximum": 5}}}`, `{"file": "schemas/score.json"}`},
}

var shape92 = Shape{
	Name:        "think",
	Description: "Whether a model that can think does so before it answers, or how much: low, medium or high. Default: the model's own way.",
	Kinds:       []string{"boolean", "string"},
	Wants:       []string{"true", "false", `"low"`, `"medium"`, `"high"`},
	Enum:        []string{`"low"`, `"medium"`, `"high"`},
	Examples:    []string{"false", `"high"`},
}

var shape93 = Shape{
	Name:        "keep_alive",
	Title:       "a duration such as 10m",
	Description: "How long the model stays loaded after the last request: a duration (10m), 0 to unload it at once, -1 for ever. A bare number is in seconds. Default: the server's own.",
	Kinds:       []string{"string", "integer"},
	Wants:       []string{"a duration such as 10m", "a whole number"},
	Pattern:     &Pattern{Text: `^(-?[0-9]+|-?([0-9]+(\.[0-9]+)?(ms|s|m|h))+)$`},
	Examples:    []string{`"10m"`, "-1"},
}

var shape94 = Shape{
	Name:        "timeout",
	Title:       "bounds for the parts of an attempt",
	Description: "How long one attempt may take: a duration, or bounds for its parts. Default: 30m in all, 10m for loading the model, 1m between two pieces of the answer.",
	Kinds:       []string{"string", "object"},
	Wants:       []string{"a duration such as 5m", "a mapping with total, load, first_token or idle"},
	Keys: []Key{
		{"total", &shape54},
		{"load", &shape55},
		{"first_token", &shape56},
		{"idle", &shape57},
	},
	Pattern:  &Pattern{Text: `^(none|([0-9]+(\.[0-9]+)?(ms|s|m|h))+)$`},
	MinKeys:  1,
	Examples: []string{`"5m"`, `{"total": "10m", "idle": "90s"}`},
}

var shape95 = Shape{
	Name:        "retry",
	Title:       "how to attempt again",
	Description: "How often a request is attempted, and at what distance, when the connection or the server fails.",
	Kinds:       []string{"object"},
	Wants:       []string{"a mapping with attempts or backoff"},
	Keys: []Key{
		{"attempts", &shape59},
		{"backoff", &shape60},
	},
	MinKeys:  1,
	Examples: []string{`{"attempts": 3, "backoff": {"initial": "1s", "max": "10s"}}`},
}

var shape96 = Shape{
	Description: "How many requests of this step are in flight at once: a further limit beside the job's.",
	Kinds:       []string{"integer"},
	Wants:       []string{"a whole number"},
	Min:         "1",
	Examples:    []string{"2"},
}

var shape97 = Shape{
	Name:        "rate",
	Title:       "a rate such as 10/s",
	Description: "At most so many attempts of this step a second (s), minute (m) or hour (h): a further limit beside the job's.",
	Kinds:       []string{"string"},
	Wants:       []string{"a rate such as 10/s"},
	Pattern:     &Pattern{Text: `^[0-9]+(\.[0-9]+)?/(s|m|h)$`},
	Examples:    []string{`"10/s"`, `"600/h"`},
}

var shape81 = Shape{
	Name:        "step",
	Title:       "a step",
	Description: "One question for each row. What it doesn't say it takes from the top of the job: model, system, options, format, think, keep_alive, timeout and retry.",
	Kinds:       []string{"object"},
	Wants:       []string{"a mapping"},
	Keys: []Key{
		{"id", &shape82},
		{"needs", &shape83},
		{"model", &shape85},
		{"prompt", &shape86},
		{"messages", &shape87},
		{"system", &shape88},
		{"options", &shape89},
		{"extra_options", &shape90},
		{"format", &shape91},
		{"think", &shape92},
		{"keep_alive", &shape93},
		{"timeout", &shape94},
		{"retry", &shape95},
		{"concurrency", &shape96},
		{"rate", &shape97},
	},
	Required: []string{"id"},
}

var shape80 = Shape{
	Description: `Several questions for each row. A step that reads {{ .steps.draft.response }} waits for the step "draft". A job with one question writes prompt and model at the top instead.`,
	Kinds:       []string{"array"},
	Wants:       []string{"a list"},
	Items:       &shape81,
	MinItems:    1,
	MaxItems:    200,
	Examples:    []string{`[{"id": "draft", "prompt": "Translate: {{ .sentence }}"}]`},
}

var shape100 = Shape{
	Description: "The file's name, relative to the job file: a template, so that rows can go to different files. Its extension says its form: jsonl, json, csv or tsv; with template it is text.",
	Kinds:       []string{"string"},
	Wants:       []string{"text"},
	MinLength:   1,
	Examples:    []string{`"out/translations.jsonl"`, `"out/{{ .language | lower }}.md"`},
}

var shape101 = Shape{
	Description: "The text that each row adds to the file. Like header and footer it ends lines only where it says so.",
	Kinds:       []string{"string"},
	Wants:       []string{"text"},
	Examples:    []string{`"- {{ .sentence.text }} -> {{ .response }}\n"`},
}

var shape102 = Shape{
	Description: "Text at the file's beginning; a template that sees what all rows of the file share.",
	Kinds:       []string{"string"},
	Wants:       []string{"text"},
	Examples:    []string{`"# {{ .language }}\n\n"`},
}

var shape103 = Shape{
	Description: "Text at the file's end; a template as header is.",
	Kinds:       []string{"string"},
	Wants:       []string{"text"},
	Examples:    []string{`"\nMade by runner.\n"`},
}

var shape105 = Shape{
	Description: "The column's value: a template.",
	Kinds:       []string{"string"},
	Wants:       []string{"text"},
}

var shape104 = Shape{
	Title:       "the columns",
	Description: "The fields of each record instead of the default ones, in this order: names, and templates that give the values. A value that is exactly one {{ ... }} keeps its type.",
	Kinds:       []string{"object"},
	Wants:       []string{"a mapping"},
	Others:      &shape105,
	MinKeys:     1,
	MaxKeys:     1000,
	Examples:    []string{`{"id": "{{ .row.id }}", "text": "{{ .response }}"}`},
}

var shape106 = Shape{
	Description: "For json: makes the file an object instead of an array, with this text as each row's key. Goes with value.",
	Kinds:       []string{"string"},
	Wants:       []string{"text"},
	MinLength:   1,
	Examples:    []string{`"{{ .sentence.id }}"`},
}

var shape107 = Shape{
	Description: "For json with key: what each key holds. A value that is exactly one {{ ... }} keeps its type.",
	Kinds:       []string{"string"},
	Wants:       []string{"text"},
	Examples:    []string{`"{{ .response }}"`},
}

var shape108 = Shape{
	Description: "Which rows go into the file: a template that gives true or false.",
	Kinds:       []string{"string"},
	Wants:       []string{"text"},
	MinLength:   1,
	Examples:    []string{`"{{ .success }}"`, `"{{ ge .steps.judge.json.score 4 }}"`},
}

var shape109 = Shape{
	Description: "For csv and tsv: makes text harmless that a spreadsheet would take for a formula. Default: true.",
	Kinds:       []string{"boolean"},
	Wants:       []string{"true", "false"},
	Examples:    []string{"false"},
}

var shape110 = Shape{
	Description: "Adds all the server's durations to the default record, in nanoseconds. Default: false.",
	Kinds:       []string{"boolean"},
	Wants:       []string{"true", "false"},
	Examples:    []string{"true"},
}

var shape99 = Shape{
	Name:        "output",
	Title:       "an output",
	Description: "One file, or one for each name that its template gives. Its rows are in the order of the matrix.",
	Kinds:       []string{"object"},
	Wants:       []string{"a mapping"},
	Keys: []Key{
		{"file", &shape100},
		{"template", &shape101},
		{"header", &shape102},
		{"footer", &shape103},
		{"columns", &shape104},
		{"key", &shape106},
		{"value", &shape107},
		{"when", &shape108},
		{"safe", &shape109},
		{"timings", &shape110},
	},
	Required: []string{"file"},
	Examples: []string{`{"file": "out/translations.jsonl"}`},
}

var shape98 = Shape{
	Description: "The files to write, each with the rows in the order of the matrix. Without outputs, the records are printed.",
	Kinds:       []string{"array"},
	Wants:       []string{"a list"},
	Items:       &shape99,
	MinItems:    1,
	MaxItems:    200,
	Examples:    []string{`[{"file": "out/translations.jsonl"}]`},
}

var shape111 = Shape{
	Description: "One file to write, short for `outputs: [{file: PATH}]`. Its form follows its extension: jsonl, json, csv or tsv.",
	Kinds:       []string{"string"},
	Wants:       []string{"text"},
	MinLength:   1,
	Examples:    []string{`"translations.jsonl"`, `"out/{{ .language | lower }}.jsonl"`},
}

var shape113 = Shape{
	Title:       "a report",
	Description: "The file's name.",
	Kinds:       []string{"string"},
	Wants:       []string{"text"},
	MinLength:   1,
}

var shape112 = Shape{
	Title:       "the reports",
	Description: "Files to write a report of the run to, relative to the job file. Their form follows their extension: html, md, json, csv, txt, xml (JUnit) or bench (for benchstat). They are written anew only when the run has asked something.",
	Kinds:       []string{"array"},
	Wants:       []string{"a list"},
	Items:       &shape113,
	MinItems:    1,
	MaxItems:    100,
	Examples:    []string{`["out/report.html", "out/report.json"]`},
}

var shape114 = Shape{
	Description: "One report to write, short for `reports: [PATH]`.",
	Kinds:       []string{"string"},
	Wants:       []string{"text"},
	MinLength:   1,
	Examples:    []string{`"out/report.html"`},
}

var jobShape = Shape{
	Title:       "A job of runner",
	Description: "Prompts, the variables that fill them, a model and limits. `runner apply` asks the model once for each row of the matrix and writes the answers in order.",
	Kinds:       []string{"object"},
	Wants:       []string{"a mapping"},
	Keys: []Key{
		{"version", &shape1},
		{"name", &shape2},
		{"vars", &shape3},
		{"matrix", &shape5},
		{"row_id", &shape17},
		{"model", &shape18},
		{"prompt", &shape19},
		{"messages", &shape21},
		{"system", &shape25},
		{"options", &shape26},
		{"extra_options", &shape47},
		{"format", &shape50},
		{"think", &shape51},
		{"keep_alive", &shape52},
		{"timeout", &shape53},
		{"retry", &shape58},
		{"concurrency", &shape63},
		{"rate", &shape64},
		{"max_failures", &shape65},
		{"bench", &shape66},
		{"thresholds", &shape78},
		{"steps", &shape80},
		{"outputs", &shape98},
		{"output", &shape111},
		{"reports", &shape112},
		{"report", &shape114},
	},
}
