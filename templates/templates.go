// Package templates parses, inspects and renders the templates of a job: Go's
// text/template with an allow-list of functions, bounded in steps, time and bytes.
//
// It knows nothing of job files. Places in a template are counted in the
// template's own text, lines and columns from 1, columns in characters; package
// specs translates them into places in the job file.
package templates

import "text/template"

// A Template is a parsed template. It is safe for concurrent use.
//
// Its scope is a map whose values are what data files hold: nil, bool, string,
// json.Number (a number with its spelling), []any and map[string]any.
type Template struct {
	text string
	tmpl *template.Template
}

// A Ref is a variable that a template reads, found in its parse tree.
type Ref struct {
	// Path is the chain of names from the scope: {{ .sentence.text }} has
	// ["sentence", "text"], as have {{ index .sentence "text" }} and
	// {{ with .sentence }}{{ .text }}{{ end }}. It ends where the tree can't
	// tell any more: {{ range .steps }}...{{ end }} has ["steps"], and a template
	// that hands the whole scope on, as in {{ toJson . }}, has a Ref with no names.
	Path []string
	// Optional says that the last name may be missing: {{ get .p "note" }}.
	Optional bool
	// Line and Col are where the reference stands in the template's text.
	Line, Col int
}

// An Error is a mistake in a template, or what stopped its rendering.
type Error struct {
	Line, Col int      // in the template's text, from 1
	Message   string   // what is wrong, in the words of the template's author
	Help      string   // what to do about it, or empty
	Missing   []string // the path that the scope lacks, where that is the mistake
}
