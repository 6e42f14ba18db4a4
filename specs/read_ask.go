package specs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/batchrunner/runner/schema"
	"github.com/batchrunner/runner/specs/dataset"
	"gopkg.in/yaml.v3"
)

const maxFormatFile = 256 << 10 // as many as a schema may have

// readOptions lays options over those that s has, key by key.
func (d *draft) readOptions(s *Step, f *askFile, a asking) {
	for key, value := range pairs(f.Options) {
		d.readOption(s, key, value, a)
	}
	known := schema.JobShape().Key("options")
	for key, value := range pairs(f.ExtraOptions) {
		if slices.Contains(known.Names(), key.Value) {
			d.report(posOf(key), a.id, fmt.Sprintf("%q is an option that is known", key.Value), "move it to options, where its value is checked")
			continue
		}
		d.readOption(s, key, value, a)
	}
}

func (d *draft) readOption(s *Step, key, value *yaml.Node, a asking) {
	if d.wrong[key] || d.wrong[value] {
		return
	}
	option := Option{Name: str(key), Value: d.data(value)}
	what := "the option " + quote(key.Value)
	switch {
	case value.Kind == yaml.SequenceNode:
		d.templatesInList(value, what, a)
	case kindOf(value) == "string" && strings.Contains(value.Value, "{{"):
		if option.Template = d.template(value, a.use(what, ofStep)); option.Template == nil {
			return
		}
		option.Value = nil
	}
	at := slices.IndexFunc(s.Options, func(o Option) bool { return o.Name.Value == key.Value })
	if at >= 0 {
		s.Options[at] = option
		return
	}
	s.Options = append(s.Options, option)
}

// templatesInList reports templates where they would be sent as they stand.
func (d *draft) templatesInList(n *yaml.Node, what string, a asking) {
	for _, item := range n.Content {
		if kindOf(item) == "string" && strings.Contains(item.Value, "{{") {
			d.report(posOf(item), a.id, what+" has a template inside a list, where it would be sent as it stands", `make the whole value one template: "{{ list .first .second }}"`)
		}
	}
}

// finishOptions sorts the options and adds our own limit of the answer's length.
func (d *draft) finishOptions(s *Step) {
	own := !slices.ContainsFunc(s.Options, func(o Option) bool { return o.Name.Value == "num_predict" })
	if own {
		s.OwnLimit = true
		s.Options = append(s.Options, Option{Name: String{Value: "num_predict"}, Value: json.Number(fmt.Sprint(DefaultNumPredict))})
	}
	slices.SortFunc(s.Options, func(a, b Option) int { return strings.Compare(a.Name.Value, b.Name.Value) })
}

// readFormat reads what the answer must be: "json", a schema, or a file with one.
func (d *draft) readFormat(s *Step, n *yaml.Node, a asking) {
	switch {
	case n == nil:
	case n.Kind == yaml.ScalarNode:
		s.Format, s.Schema, s.JSON = json.RawMessage(`"json"`), nil, true
	case isFile(n):
		var f fileFile
		d.fill(n, &f)
		d.readFormatFile(s, f.File, a)
	default:
		d.readInlineFormat(s, n, a)
	}
}

// isFile says whether a mapping is {file: PATH}.
func isFile(n *yaml.Node) bool {
	return len(n.Content) == 2 && n.Content[0].Value == "file" && kindOf(n.Content[1]) == "string"
}

func (d *draft) readInlineFormat(s *Step, n *yaml.Node, a asking) {
	var text bytes.Buffer
	if err := nodeJSON(n, &text); err != nil {
		d.formatDataError(err, a)
		return
	}
	compiled, err := schema.Compile("format", text.Bytes(), nil)
	if err != nil {
		var bad *schema.Error
		errors.As(err, &bad)
		d.report(posOf(find(n, bad.Path)), a.id, "the format: "+bad.Message, bad.Help)
		return
	}
	s.Format, s.Schema, s.JSON = text.Bytes(), compiled, true
}

func (d *draft) formatDataError(err error, a asking) {
	var odd *nodeError
	var data *dataset.Error
	switch {
	case errors.As(err, &odd):
		d.report(posOf(odd.node), a.id, "the format: "+odd.message, odd.help)
	case errors.As(err, &data):
		d.report(Pos{data.Line, data.Col}, a.id, "the format: "+data.Message, data.Help)
	}
}

func (d *draft) readFormatFile(s *Step, n *yaml.Node, a asking) {
	if n == nil || !d.pathInside(n, n.Value, "the schema file") {
		return
	}
	src := d.readText(n, a, "the schema file", maxFormatFile)
	if src == nil {
		return
	}
	compiled, err := schema.Compile("format", []byte(src.text), nil)
	if err != nil {
		var bad *schema.Error
		errors.As(err, &bad)
		d.formatFileError(src, n, bad, a)
		return
	}
	var text bytes.Buffer
	if json.Compact(&text, []byte(src.text)) == nil {
		s.Format, s.Schema, s.JSON = text.Bytes(), compiled, true
	}
}

// formatFileError points into the schema's file where the place is known.
func (d *draft) formatFileError(src *source, n *yaml.Node, bad *schema.Error, a asking) {
	var doc yaml.Node // JSON is YAML, and YAML's nodes have places
	if bad.Line == 0 && yaml.Unmarshal([]byte(src.text), &doc) == nil && len(doc.Content) > 0 {
		d.add(Diagnostic{File: src.file, Pos: posOf(find(doc.Content[0], bad.Path)), Step: a.id, Message: "the format: " + bad.Message, Help: bad.Help})
		return
	}
	if bad.Line > 0 {
		d.add(Diagnostic{File: src.file, Pos: Pos{bad.Line, bad.Col}, Step: a.id, Message: "the format: " + bad.Message, Help: bad.Help})
		return
	}
	d.report(posOf(n), a.id, fmt.Sprintf("the format in %s: %s", n.Value, bad.Message), bad.Help)
}

// readTimeout lays bounds over those that t has: a single duration is the total.
func (d *draft) readTimeout(t *Timeout, n *yaml.Node, a asking) {
	if n == nil {
		return
	}
	if n.Kind == yaml.ScalarNode {
		t.Total = d.duration(n, a.id, `"timeout"`)
		return
	}
	var f timeoutFile
	d.fill(n, &f)
	if f.Total != nil {
		t.Total = d.duration(f.Total, a.id, `"total"`)
	}
	if f.Load != nil {
		t.Load = d.duration(f.Load, a.id, `"load"`)
	}
	if f.FirstToken != nil {
		t.FirstToken = d.duration(f.FirstToken, a.id, `"first_token"`)
	}
	if f.Idle != nil {
		t.Idle = d.duration(f.Idle, a.id, `"idle"`)
	}
}

// readRetry lays a retry over what r has.
func (d *draft) readRetry(r *Retry, n *yaml.Node, a asking) {
	var f retryFile
	d.fill(n, &f)
	if f.Attempts != nil {
		r.Attempts = int(integer(f.Attempts))
	}
	var b backoffFile
	d.fill(f.Backoff, &b)
	if b.Initial != nil {
		r.Initial = d.duration(b.Initial, a.id, `"initial"`)
	}
	if b.Max != nil {
		r.Max = d.duration(b.Max, a.id, `"max"`)
	}
	if r.Initial <= r.Max {
		return
	}
	if b.Max == nil { // the author gave the longer one alone
		r.Max = r.Initial
		return
	}
	d.report(posOf(b.Max), a.id, fmt.Sprintf(`"max": the longest wait (%s) is shorter than the first one (%s)`, r.Max, r.Initial), `give "initial" too, or a longer "max"`)
}
