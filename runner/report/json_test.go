package report

import (
	"bytes"
	"encoding/json"
	"maps"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v5"
)

func writeJSON(t *testing.T, r *Report) string {
	t.Helper()
	var b bytes.Buffer
	if err := WriteJSON(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestJSON(t *testing.T) { checkGolden(t, "report.json.want", writeJSON(t, fixture())) }

func TestJSONRoundTrip(t *testing.T) {
	want := fixture()
	for i, text := range hostile { // JSON holds text, not bytes
		want.Answers[i].Cells[0].Response = strings.ToValidUTF8(text, "\ufffd")
		if message := want.Answers[i].Cells[1].Message; message != "" {
			want.Answers[i].Cells[1].Message = strings.ToValidUTF8(message, "\ufffd")
		}
	}
	got, err := ReadJSON(strings.NewReader(writeJSON(t, want)))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// What is written is what the schema says, also of a report that has nothing.
func TestJSONIsOfTheSchema(t *testing.T) {
	s := compiledSchema(t)
	bare := &Report{Failures: []Failure{{}}, Answers: []Row{{}}, ByAxis: []AxisQuality{{}}, Missed: []Missed{{}}, Timeline: []Span{{}}}
	for name, r := range map[string]*Report{"fixture": fixture(), "hostile": hostileReport(), "bare": bare, "empty": {}} {
		var doc any
		if err := json.Unmarshal([]byte(writeJSON(t, r)), &doc); err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(doc); err != nil {
			t.Errorf("%s: %#v", name, err)
		}
	}
	for _, text := range []string{`{}`, `{"v": 2}`, `[]`, `{"v":1,"run":{},"rows":0,"ok":0,"failed":0,"asked":0,"reused":0,"groups":[]}`} {
		var doc any
		if err := json.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		if s.Validate(doc) == nil {
			t.Errorf("%s is a report to the schema", text)
		}
	}
}

func compiledSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	const id = "https://github.com/batchrunner/runner/report.schema.json"
	if err := c.AddResource(id, bytes.NewReader(Schema())); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(id)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A schemaObject is a part of the schema, as far as it describes a struct.
type schemaObject struct {
	Ref         string                   `json:"$ref"`
	Description string                   `json:"description"`
	Type        string                   `json:"type"`
	Required    []string                 `json:"required"`
	Properties  map[string]*schemaObject `json:"properties"`
	Items       *schemaObject            `json:"items"`
	Values      *schemaObject            `json:"additionalProperties"`
	Definitions map[string]*schemaObject `json:"definitions"`
}

// The schema describes every field of every type of a report, and nothing else.
func TestSchemaIsOfTheTypes(t *testing.T) {
	var root schemaObject
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	h := &holder{t: t, root: &root, used: map[string]bool{}}
	h.object("report", reflect.TypeFor[Report](), &root)
	for name := range root.Definitions {
		if !h.used[name] {
			t.Errorf("definition %s describes no type", name)
		}
	}
}

type holder struct {
	t    *testing.T
	root *schemaObject
	used map[string]bool
}

func (h *holder) object(at string, typ reflect.Type, s *schemaObject) {
	described := maps.Clone(s.Properties)
	var required []string
	for i := range typ.NumField() {
		name, options, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		property, ok := described[name]
		if !ok {
			h.t.Errorf("%s.%s is not described", at, name)
			continue
		}
		delete(described, name)
		if options == "" {
			required = append(required, name)
		}
		if property.Description == "" {
			h.t.Errorf("%s.%s has no description", at, name)
		}
		h.value(at+"."+name, typ.Field(i).Type, property)
	}
	for name := range described {
		h.t.Errorf("%s.%s is described and not there", at, name)
	}
	if diff := cmp.Diff(slices.Sorted(slices.Values(required)), slices.Sorted(slices.Values(s.Required))); diff != "" {
		h.t.Errorf("%s: required differs (-types +schema)\n%s", at, diff)
	}
}

func (h *holder) value(at string, typ reflect.Type, s *schemaObject) {
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	want := ""
	switch {
	case typ == reflect.TypeFor[time.Time]():
		want = "string"
	case typ.Kind() == reflect.Struct:
		h.ref(at, typ, s)
		return
	case typ.Kind() == reflect.Slice:
		want = "array"
		h.value(at+"[]", typ.Elem(), s.Items)
	case typ.Kind() == reflect.Map:
		want = "object"
		h.value(at+"{}", typ.Elem(), s.Values)
	default:
		want = map[reflect.Kind]string{
			reflect.String: "string", reflect.Bool: "boolean", reflect.Int: "integer", reflect.Int64: "integer", reflect.Float64: "number",
		}[typ.Kind()]
	}
	if s.Type != want {
		h.t.Errorf("%s is %q in the schema, not %q", at, s.Type, want)
	}
}

func (h *holder) ref(at string, typ reflect.Type, s *schemaObject) {
	name := strings.TrimPrefix(s.Ref, "#/definitions/")
	d := h.root.Definitions[name]
	if d == nil {
		h.t.Errorf("%s refers to %q, which is not there", at, s.Ref)
		return
	}
	if !h.used[name] {
		h.used[name] = true
		h.object(name, typ, d)
	}
}

func TestReadJSONSaysWhatIsWrong(t *testing.T) {
	for text, want := range map[string]string{
		"":                               "the report is empty",
		" \n":                            "the report is empty",
		"{\n\"v\": 1,\n oops}":           "it is no report: line 3 is not JSON; a baseline is a run's number, or a report written as .json",
		"{\"v\": 1":                      "it is no report: line 1 is not JSON; a baseline is a run's number, or a report written as .json",
		"[]":                             "it is no report of runner, but an array",
		`"text"`:                         "it is no report of runner, but a string",
		"{}":                             `it is no report of runner, which would have its version in "v"`,
		`{"v": 2}`:                       "the report is of version 2, and this runner reads up to 1; use a newer runner",
		`{"v": 0}`:                       "it says to be a report of version 0, and there is none",
		`{"v": 0.5}`:                     "it says to be a report of version 0.5, and there is none",
		`{"v": 1.5}`:                     "the report is of version 1.5, and this runner reads up to 1; use a newer runner",
		`{"v": "x"}`:                     `the report's "v" is a string, which does not belong there`,
		`{"v": 1, "rows": "many"}`:       `the report's "rows" is a string, which does not belong there`,
		`{"v": 1, "run": {"id": {}}}`:    `the report's "run.id" is an object, which does not belong there`,
		`{"v": 1, "run": {"began": ""}}`: "",
		`{"v": 1} {}`:                    "it is no report: line 1 is not JSON; a baseline is a run's number, or a report written as .json",
	} {
		_, err := ReadJSON(strings.NewReader(text))
		if err == nil || want != "" && err.Error() != want {
			t.Errorf("%s\ngot  %v\nwant %s", text, err, want)
		}
	}
	if _, err := ReadJSON(strings.NewReader(`{"v": 1, "rows": 3, "later": {"than": "us"}}`)); err != nil {
		t.Errorf("a field of a newer runner: %v", err)
	}
}

func TestJSONHasNoInfinity(t *testing.T) {
	r := fixture()
	r.Groups[0].HostTokensPerSecond = math.Inf(1)
	err := WriteJSON(&bytes.Buffer{}, r)
	if err == nil || err.Error() != "a figure of the report is +Inf, which JSON can't hold" {
		t.Error(err)
	}
}
