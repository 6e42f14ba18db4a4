package schema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// Limits of a schema, so that none can exhaust the machine.
const (
	maxBytes = 256 << 10 // the largest schemas in use (FHIR, GitHub's) are sent by nobody to a model
	maxDepth = 64
)

// base is the address under which documents are compiled. It stands for no host:
// nothing is ever fetched.
const base = "given:///"

// An Error is why a schema can't be used.
type Error struct {
	Path      []string // the place in the schema, where it is known
	Line, Col int      // the place in its text, from 1, where that can't be read
	Message   string   // what is wrong, for a person
	Help      string   // what to do about it, or empty
}

func (e *Error) Error() string {
	text := e.Message
	if len(e.Path) > 0 {
		text = "at " + strings.Join(e.Path, ".") + ": " + text
	}
	if e.Help != "" {
		text += "; " + e.Help
	}
	return text
}

// Compile makes a Schema of a JSON document; drafts 4 to 2020-12 are known, and
// without "$schema" it is taken for 2020-12, as models' schemas mostly are.
//
// A "$ref" is answered from the document itself, from the drafts' own schemas, or
// by load, which gets the reference's path relative to the document's folder
// ("other.json"); nil refuses all others. Nothing is read from the network or the
// file system here. Errors are of type *Error.
func Compile(name string, doc []byte, load func(ref string) ([]byte, error)) (*Schema, error) {
	address := base + url.PathEscape(name)
	s := &Schema{address: address, docs: map[string]any{}}
	parsed, err := parse(doc)
	if err != nil {
		return nil, err
	}
	s.docs[address] = parsed
	c := jsonschema.NewCompiler()
	c.LoadURL = func(ref string) (io.ReadCloser, error) { return s.load(ref, load) }
	if err := c.AddResource(address, bytes.NewReader(doc)); err != nil {
		return nil, &Error{Message: err.Error()}
	}
	s.compiled, err = compile(c, address)
	if err != nil {
		return nil, s.explain(err)
	}
	return s, nil
}

// compile calls the compiler, which panics on some documents that are no schemas.
func compile(c *jsonschema.Compiler, address string) (s *jsonschema.Schema, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return c.Compile(address)
}

// copyHelp says how to do without another document.
const copyHelp = `copy what it names under "$defs" and refer to it as "#/$defs/NAME"`

// load answers a reference to another document.
func (s *Schema) load(address string, given func(string) ([]byte, error)) (io.ReadCloser, error) {
	written, place := s.reference(address)
	path, ours := strings.CutPrefix(address, base)
	path, err := url.PathUnescape(path)
	switch {
	case !ours || err != nil:
		return nil, &Error{Path: place, Message: fmt.Sprintf("$ref %q leads out of the schema, and nothing is fetched from elsewhere", written), Help: copyHelp}
	case given == nil:
		return nil, &Error{Path: place, Message: fmt.Sprintf("$ref %q leads to another file, and the schema is sent to the model's server as it stands", written), Help: copyHelp}
	}
	doc, err := given(path)
	if err != nil {
		return nil, &Error{Path: place, Message: fmt.Sprintf("$ref %q: %v", written, err)}
	}
	parsed, err := parse(doc)
	if err != nil {
		return nil, &Error{Path: place, Message: fmt.Sprintf("$ref %q: %v", written, err)}
	}
	s.docs[address] = parsed
	return io.NopCloser(bytes.NewReader(doc)), nil
}

// reference finds how the document writes a reference that leads to an address, and
// where: the one that is written like that, else the first that leads elsewhere.
func (s *Schema) reference(address string) (written string, place []string) {
	written = strings.TrimPrefix(address, base)
	s.references(func(ref string, path []string) {
		same := strings.HasPrefix(ref, address)
		if (same || ref[0] != '#' && !strings.Contains(ref, "json-schema.org/")) && place == nil {
			written, place = ref, path
		}
	})
	return written, place
}

// references calls found for each reference of the document, in the order of keys.
func (s *Schema) references(found func(ref string, path []string)) {
	var walk func(value any, path []string)
	walk = func(value any, path []string) {
		switch value := value.(type) {
		case map[string]any:
			for _, key := range sorted(value) {
				if ref, ok := value[key].(string); ok && ref != "" && (key == "$ref" || key == "$schema" || key == "$dynamicRef" || key == "$recursiveRef") {
					found(ref, append(clone(path), key))
				}
				walk(value[key], append(path, key))
			}
		case []any:
			for i, item := range value {
				walk(item, append(path, fmt.Sprint(i)))
			}
		}
	}
	walk(s.docs[s.address], nil)
}

// parse reads a schema's JSON within the limits.
func parse(doc []byte) (any, error) {
	if len(doc) > maxBytes {
		return nil, &Error{Message: fmt.Sprintf("the schema has %d KiB, and the most is %d", len(doc)>>10, maxBytes>>10)}
	}
	dec := json.NewDecoder(bytes.NewReader(doc))
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		return nil, syntax(doc, err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, &Error{Message: "more text follows after the schema's end"}
	}
	switch value.(type) {
	case map[string]any, bool:
		return value, within(value, nil)
	}
	return nil, &Error{Message: "a schema is a mapping, such as {\"type\": \"object\"}"}
}

// syntax says where in a document its JSON breaks off.
func syntax(doc []byte, err error) *Error {
	var bad *json.SyntaxError
	if !errors.As(err, &bad) {
		return &Error{Message: "it is not JSON: " + strings.TrimPrefix(err.Error(), "json: ")}
	}
	before := doc[:max(0, min(int(bad.Offset)-1, len(doc)))]
	line := before[bytes.LastIndexByte(before, '\n')+1:]
	return &Error{Line: 1 + bytes.Count(before, []byte("\n")), Col: 1 + utf8.RuneCount(line), Message: "it is not JSON: " + bad.Error()}
}

// within checks depth and numbers of a schema.
func within(value any, path []string) error {
	if len(path) > maxDepth {
		return &Error{Message: fmt.Sprintf("the schema is nested more than %d deep", maxDepth)}
	}
	switch value := value.(type) {
	case map[string]any:
		for _, key := range sorted(value) {
			if err := within(value[key], append(path, key)); err != nil {
				return err
			}
		}
	case []any:
		for i, item := range value {
			if err := within(item, append(path, fmt.Sprint(i))); err != nil {
				return err
			}
		}
	case json.Number:
		if huge(value) {
			return &Error{Path: clone(path), Message: fmt.Sprintf("%s is too large or too small a number", value)}
		}
	}
	return nil
}

// explain turns the compiler's error into one for people.
func (s *Schema) explain(err error) *Error {
	var ours *Error
	if errors.As(err, &ours) {
		return ours
	}
	var invalid *jsonschema.ValidationError
	if errors.As(err, &invalid) {
		return s.invalid(deepest(invalid))
	}
	var outer *jsonschema.SchemaError
	if errors.As(err, &outer) && outer.Err != nil {
		err = outer.Err
	}
	text := strings.TrimPrefix(err.Error(), "jsonschema: ")
	if place, missing := strings.CutSuffix(text, " not found"); missing {
		_, fragment, _ := strings.Cut(place, "#")
		ref := "#" + fragment
		return &Error{Path: s.refPath(ref), Message: fmt.Sprintf("$ref %q names nothing in the schema", ref)}
	}
	return &Error{Message: strings.ReplaceAll(text, base, "")}
}

var expected = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^expected (.+), but got (\w+)$`) })

// invalid says what is no JSON Schema, and where.
func (s *Schema) invalid(leaf *jsonschema.ValidationError) *Error {
	path := pointer(leaf.InstanceLocation)
	e := &Error{Path: path, Message: "this is not JSON Schema: " + leaf.Message}
	if len(path) == 0 {
		return e
	}
	key, got := path[len(path)-1], quoted(at(s.docs[s.address], path))
	m := expected().FindStringSubmatch(leaf.Message)
	switch keyword := last(leaf.KeywordLocation); {
	case keyword == "enum" && key == "type":
		e.Message, e.Help = fmt.Sprintf("%s is no type of JSON Schema", got), `the types are "string", "integer", "number", "boolean", "array", "object" and "null"`
	case m != nil:
		e.Message = fmt.Sprintf("%q must be %s, but is %s", key, choice(kindNames(anys(strings.Split(m[1], " or ")))), got)
		if word := strings.Trim(got, `"`); KindName(word) != word {
			e.Help = fmt.Sprintf("write {type: %s}", word)
		}
	case keyword == "format" && strings.Contains(leaf.KeywordLocation, "propertyNames"):
		e.Message = fmt.Sprintf("%q is no regular expression", key)
	case keyword == "format" && key == "pattern":
		e.Message = fmt.Sprintf("%s is no regular expression", got)
	case keyword == "minimum", keyword == "exclusiveMinimum":
		e.Message = fmt.Sprintf("%q is too small: %s", key, got)
	}
	return e
}

func anys(words []string) []any {
	list := make([]any, len(words))
	for i, word := range words {
		list[i] = word
	}
	return list
}

// refPath finds the place of a reference in the document, nil where it is not
// written so there.
func (s *Schema) refPath(ref string) (place []string) {
	s.references(func(written string, path []string) {
		if written == ref && place == nil {
			place = path
		}
	})
	return place
}

func deepest(e *jsonschema.ValidationError) *jsonschema.ValidationError {
	for len(e.Causes) > 0 {
		e = e.Causes[0]
	}
	return e
}
