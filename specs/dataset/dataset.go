// Package dataset reads the data files of a job as rows with columns: csv, tsv,
// jsonl, json, yaml and txt, and the files that a glob finds.
//
// A value is nil, bool, string, json.Number (a number that keeps its spelling,
// always one that JSON allows), []any or map[string]any. Everything in csv, tsv and
// txt files is a string; dates, and numbers that JSON does not allow (007), are
// strings with their spelling.
package dataset

// A Source is a data file of the job.
type Source struct {
	Path      string // relative to the root, slash-separated and clean
	Shown     string // as the job file's author wrote it, for messages
	Format    string // csv, tsv, jsonl, json, yaml or txt, from the extension
	Separator rune   // csv only: 0 is a comma
}
