package specs

import (
	"fmt"
	"path"
	"strings"

	"gopkg.in/yaml.v3"
)

// forms are the extensions whose form is known.
var forms = map[string]string{".jsonl": JSONL, ".ndjson": JSONL, ".json": JSON, ".csv": CSV, ".tsv": TSV}

// readOutputs reads the outputs, or the one of the short form.
func (d *draft) readOutputs() {
	if n := d.file.Output; n != nil {
		d.job.Outputs = append(d.job.Outputs, d.shortOutput(n))
		if d.file.Outputs != nil {
			d.report(posOf(n), "", fmt.Sprintf(`"output" is short for one entry of "outputs", which are given too (at %s)`, d.place(posOf(d.file.Outputs))), "move it to outputs as {file: "+n.Value+"}")
		}
	}
	if d.file.Outputs == nil || d.file.Outputs.Kind != yaml.SequenceNode {
		return
	}
	for _, n := range d.file.Outputs.Content {
		if !d.wrong[n] {
			d.job.Outputs = append(d.job.Outputs, d.readOutput(n))
		}
	}
}

func (d *draft) shortOutput(n *yaml.Node) Output {
	o := Output{Pos: posOf(n), File: d.output(n, "the output's file name"), Safe: true}
	o.Form = d.form(&outputFile{File: n})
	return o
}

// output reads a template of an output, nil where it isn't given.
func (d *draft) output(n *yaml.Node, what string) *Template {
	if n == nil {
		return nil
	}
	return d.template(n, use{what: what, index: -1, sight: ofOutput})
}

func (d *draft) readOutput(n *yaml.Node) Output {
	var f outputFile
	d.fill(n, &f)
	o := Output{
		Pos:      posOf(n),
		File:     d.output(f.File, "the output's file name"),
		Form:     d.form(&f),
		Template: d.output(f.Template, "the output's template"),
		Header:   d.output(f.Header, "the header"),
		Footer:   d.output(f.Footer, "the footer"),
		Key:      d.output(f.Key, "the key"),
		Value:    d.output(f.Value, "the value"),
		When:     d.output(f.When, "when"),
		Safe:     f.Safe == nil || boolean(f.Safe),
		Timings:  f.Timings != nil && boolean(f.Timings),
	}
	for key, value := range pairs(f.Columns) {
		if !d.wrong[key] && !d.wrong[value] {
			o.Columns = append(o.Columns, Column{str(key), d.output(value, "the column "+quote(key.Value))})
		}
	}
	d.checkForm(&o, &f)
	return o
}

// form tells an output's form by its file's extension; with a template it is text.
func (d *draft) form(f *outputFile) string {
	if f.Template != nil {
		return Text
	}
	if f.File == nil {
		return ""
	}
	ext := path.Ext(f.File.Value)
	if form := forms[strings.ToLower(ext)]; form != "" {
		return form
	}
	known := "jsonl, json, csv or tsv"
	switch {
	case ext == "" || strings.ContainsAny(ext, "/{}"):
		d.report(posOf(f.File), "", fmt.Sprintf("the form of the output %q can't be told, since its name doesn't end in an extension", f.File.Value), "end it with "+known+", or say with template what each row adds to a text file")
	default:
		d.report(posOf(f.File), "", fmt.Sprintf("no form of output is known for the extension %q", strings.TrimPrefix(ext, ".")), "use "+known+", or say with template what each row adds to a text file")
	}
	return ""
}

// checkForm reports keys that don't go with the output's form.
func (d *draft) checkForm(o *Output, f *outputFile) {
	text, records := o.Form == Text, o.Form != Text && o.Form != ""
	for _, c := range []struct {
		wrong         bool
		node          *yaml.Node
		message, help string
	}{
		{text && f.Columns != nil, f.Columns, `"columns" makes records, and "template" makes text`, "remove one of the two"},
		{text && f.Key != nil, f.Key, `"key" makes a json object, and "template" makes text`, "remove one of the two"},
		{text && f.Value != nil && f.Key == nil, f.Value, `"value" makes a json object, and "template" makes text`, "remove one of the two"},
		{text && f.Timings != nil, f.Timings, `"timings" is for records, and "template" makes text`, "remove it"},
		{records && f.Header != nil, f.Header, `"header" is for text files, and this one is ` + o.Form, "remove it, or give a template"},
		{records && f.Footer != nil, f.Footer, `"footer" is for text files, and this one is ` + o.Form, "remove it, or give a template"},
		{records && o.Form != JSON && f.Key != nil, f.Key, `"key" makes an object of a .json file, and this one is ` + o.Form, "remove it, or end the file's name with .json"},
		{records && o.Form == JSON && f.Key != nil && f.Value == nil, f.Key, `"key" is given without "value"`, `say what each key holds, for example: value: "{{ .response }}"`},
		{records && f.Value != nil && f.Key == nil, f.Value, `"value" is given without "key"`, "say what each row's key is, or use columns"},
		{records && f.Value != nil && f.Columns != nil, f.Columns, `"columns" and "value" both say what a row's record is`, "remove one of the two"},
		{f.Safe != nil && o.Form != CSV && o.Form != TSV && o.Form != "", f.Safe, `"safe" is for csv and tsv, which spreadsheets read`, "remove it"},
		{records && f.Timings != nil && boolean(f.Timings) && (f.Columns != nil || f.Value != nil), f.Timings, `"timings" adds to the default record, and this output has its own`, "remove it, or add columns such as total_duration"},
	} {
		if c.wrong {
			d.report(posOf(c.node), "", c.message, c.help)
		}
	}
}
