package schema

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"
)

// A Violation is one thing that a value has wrong.
type Violation struct {
	Path    []string // keys and list indexes from the value's top
	Message string   // for a person, with the path in it: `"score" must be at most 5, but is 7`
}

// Validate checks a value as encoding/json decodes it (numbers as json.Number or
// float64) and returns what is wrong with it, in the value's order of paths; none
// where it is valid.
func (s *Schema) Validate(value any) []Violation {
	if place, ok := hugeNumber(value, nil); ok {
		return []Violation{{place, name(place) + " is too large or too small a number"}}
	}
	err := validate(s.compiled, value)
	if err == nil {
		return nil
	}
	var invalid *jsonschema.ValidationError
	if !errors.As(err, &invalid) {
		return []Violation{{nil, "the answer can't be checked: " + strings.TrimPrefix(err.Error(), "jsonschema: ")}}
	}
	found := s.violations(invalid, value)
	slices.SortStableFunc(found, func(a, b Violation) int {
		if c := slices.Compare(a.Path, b.Path); c != 0 {
			return c
		}
		return strings.Compare(a.Message, b.Message)
	})
	return slices.CompactFunc(found, func(a, b Violation) bool { return a.Message == b.Message })
}

func validate(s *jsonschema.Schema, value any) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return s.Validate(value)
}

// violations gathers the leaves of the validator's tree, and says each in words.
func (s *Schema) violations(e *jsonschema.ValidationError, value any) []Violation {
	keyword := last(e.KeywordLocation)
	if keyword == "anyOf" || keyword == "oneOf" {
		return []Violation{s.none(e, value)}
	}
	if len(e.Causes) == 0 || strings.HasSuffix(keyword, "ontains") {
		return s.leaf(e, value)
	}
	var found []Violation
	for _, cause := range e.Causes {
		found = append(found, s.violations(cause, value)...)
	}
	return found
}

// none says that a value is none of several alternatives. Where all of them are
// kinds of value, or only one of them has the value's kind, that is said.
func (s *Schema) none(e *jsonschema.ValidationError, value any) Violation {
	path := pointer(e.InstanceLocation)
	if len(e.Causes) == 0 { // of oneOf: more than one fits
		return Violation{path, name(path) + " fits several of the alternatives, and must fit one"}
	}
	var wanted []string
	var closer []Violation
	for _, cause := range e.Causes {
		for _, v := range s.violations(cause, value) {
			kind, ok := strings.CutPrefix(v.Message, name(path)+" must be ")
			kind, _, has := strings.Cut(kind, ", but is ")
			if ok && has && slices.Equal(v.Path, path) {
				wanted = append(wanted, kind)
				continue
			}
			closer = append(closer, v)
		}
	}
	if len(closer) > 0 {
		return closer[0]
	}
	return Violation{path, fmt.Sprintf("%s must be %s, but is %s", name(path), choice(wanted), show(at(value, path)))}
}

// leaf says one failed keyword in words.
func (s *Schema) leaf(e *jsonschema.ValidationError, value any) []Violation {
	path := pointer(e.InstanceLocation)
	got := at(value, path)
	keyword, limit := s.keyword(e)
	if keyword == "required" {
		return missing(path, limit, got)
	}
	if needed, by, ok := dependent(e.AbsoluteKeywordLocation, limit); ok {
		return []Violation{{append(clone(path), needed), fmt.Sprintf("%s is missing, and %s needs it", name(append(clone(path), needed)), name(append(clone(path), by)))}}
	}
	if keyword == "additionalProperties" || keyword == "unevaluatedProperties" {
		return s.unexpected(e, path, got)
	}
	return []Violation{{path, name(path) + " " + complaint(keyword, limit, got, e.Message)}}
}

// keyword returns the schema keyword that failed and what the schema says there.
func (s *Schema) keyword(e *jsonschema.ValidationError) (string, any) {
	address, fragment, _ := strings.Cut(e.AbsoluteKeywordLocation, "#")
	path := pointer(fragment)
	if len(path) == 0 {
		return "", nil
	}
	return path[len(path)-1], at(s.docs[address], path)
}

// dependent reads a key that another one needs: dependentRequired/KEY/INDEX.
func dependent(location string, limit any) (needed, by string, ok bool) {
	_, fragment, _ := strings.Cut(location, "#")
	path := pointer(fragment)
	if len(path) < 3 || path[len(path)-3] != "dependentRequired" && path[len(path)-3] != "dependencies" {
		return "", "", false
	}
	needed, ok = limit.(string)
	return needed, path[len(path)-2], ok
}

func missing(path []string, required, got any) []Violation {
	names, _ := required.([]any)
	have, _ := got.(map[string]any)
	var found []Violation
	for _, key := range names {
		key, _ := key.(string)
		if _, ok := have[key]; !ok {
			at := append(clone(path), key)
			found = append(found, Violation{at, name(at) + " is missing"})
		}
	}
	return found
}

// unexpected names the keys that a mapping has and its schema doesn't know.
func (s *Schema) unexpected(e *jsonschema.ValidationError, path []string, got any) []Violation {
	address, fragment, _ := strings.Cut(e.AbsoluteKeywordLocation, "#")
	parent := pointer(fragment)
	schema, _ := at(s.docs[address], parent[:len(parent)-1]).(map[string]any)
	known, _ := schema["properties"].(map[string]any)
	have, _ := got.(map[string]any)
	var found []Violation
	for _, key := range sorted(have) {
		if _, ok := known[key]; !ok && !matches(schema["patternProperties"], key) {
			at := append(clone(path), key)
			found = append(found, Violation{at, name(at) + " is not expected"})
		}
	}
	return found
}

// matches says whether a key is one of a schema's patternProperties.
func matches(patterns any, key string) bool {
	list, _ := patterns.(map[string]any)
	for pattern := range list {
		if ok, err := regexp.MatchString(pattern, key); ok && err == nil {
			return true
		}
	}
	return false
}

// complaint says what a value must be, and what it is.
func complaint(keyword string, limit, got any, fallback string) string {
	switch keyword {
	case "type":
		return fmt.Sprintf("must be %s, but is %s", choice(kindNames(limit)), show(got))
	case "enum":
		return fmt.Sprintf("must be %s, but is %s", choice(values(limit)), show(got))
	case "const":
		return fmt.Sprintf("must be %s, but is %s", show(limit), show(got))
	case "minimum":
		return fmt.Sprintf("must be at least %v, but is %s", limit, show(got))
	case "maximum":
		return fmt.Sprintf("must be at most %v, but is %s", limit, show(got))
	case "exclusiveMinimum":
		return fmt.Sprintf("must be more than %v, but is %s", limit, show(got))
	case "exclusiveMaximum":
		return fmt.Sprintf("must be less than %v, but is %s", limit, show(got))
	case "multipleOf":
		return fmt.Sprintf("must be a multiple of %v, but is %s", limit, show(got))
	case "minLength":
		return fmt.Sprintf("must have at least %s, but has %d", count(limit, "character"), length(got))
	case "maxLength":
		return fmt.Sprintf("must have at most %s, but has %d", count(limit, "character"), length(got))
	case "minItems":
		return fmt.Sprintf("must have at least %s, but has %d", count(limit, "element"), length(got))
	case "maxItems":
		return fmt.Sprintf("must have at most %s, but has %d", count(limit, "element"), length(got))
	case "minProperties":
		return fmt.Sprintf("must have at least %s, but has %d", count(limit, "key"), length(got))
	case "maxProperties":
		return fmt.Sprintf("must have at most %s, but has %d", count(limit, "key"), length(got))
	case "pattern":
		return fmt.Sprintf("must match %v, but is %s", limit, show(got))
	case "format":
		return fmt.Sprintf("must be a valid %v, but is %s", limit, show(got))
	case "uniqueItems":
		return "must have no element twice"
	case "not":
		return "is what the schema rules out: " + show(got)
	case "contains", "minContains":
		return "has too few elements of the kind that it must contain"
	case "maxContains":
		return "has too many elements of a kind"
	}
	if fallback == "not allowed" { // the schema is false
		return "is not allowed"
	}
	return "does not fit the schema: " + fallback
}

// last returns the keyword at the end of a location.
func last(location string) string {
	return location[strings.LastIndexByte(location, '/')+1:]
}

// pointer splits a JSON pointer.
func pointer(text string) []string {
	text = strings.Trim(text, "/")
	if text == "" {
		return nil
	}
	parts := strings.Split(text, "/")
	for i, part := range parts {
		parts[i] = unescape(part)
	}
	return parts
}

// at returns what stands at a path of a value, nil where nothing does.
func at(value any, path []string) any {
	for _, step := range path {
		switch v := value.(type) {
		case map[string]any:
			value = v[step]
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(v) {
				return nil
			}
			value = v[i]
		default:
			return nil
		}
	}
	return value
}

// hugeNumber finds a number that arithmetic on fractions would choke on.
func hugeNumber(value any, path []string) ([]string, bool) {
	switch value := value.(type) {
	case map[string]any:
		for key, item := range value {
			if place, ok := hugeNumber(item, append(path, key)); ok {
				return place, true
			}
		}
	case []any:
		for i, item := range value {
			if place, ok := hugeNumber(item, append(path, strconv.Itoa(i))); ok {
				return place, true
			}
		}
	case json.Number:
		return clone(path), huge(value)
	}
	return nil, false
}

// huge says whether a number has more than 1,000 digits or an exponent beyond
// 1,000: as a fraction, 1e999999999 fills the memory.
func huge(n json.Number) bool {
	mantissa, exponent, found := strings.Cut(strings.ToLower(string(n)), "e")
	if len(mantissa) > 1000 {
		return true
	}
	if !found {
		return false
	}
	e, err := strconv.Atoi(exponent)
	return err != nil || e > 1000 || e < -1000
}
