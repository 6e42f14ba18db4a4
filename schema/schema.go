// Package schema holds the JSON Schema of job files, embedded, and validates
// JSON values against schemas: the job file's own and those that answers must
// meet. It knows shapes, not meanings, and speaks in paths of the document.
package schema

import (
	_ "embed"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// A Schema is a compiled JSON Schema. It is safe for concurrent use.
type Schema struct {
	compiled *jsonschema.Schema
	address  string         // of the document itself
	docs     map[string]any // the documents by address, to look limits up in
}

//go:embed job.schema.json
var job []byte

// Job returns the JSON Schema of job files (draft-07, as editors read it).
func Job() []byte { return append([]byte(nil), job...) }
