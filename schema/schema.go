// Package schema holds the JSON Schema of job files, embedded, and validates
// JSON values against schemas: the job file's own and those that answers must
// meet. It knows shapes, not meanings, and speaks in paths of the document.
package schema

// A Schema is a compiled JSON Schema. It is safe for concurrent use.
type Schema struct{}
