package simulate

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// formatted gives the answer to a question with a format, deterministic and valid:
// some JSON, or an instance of a JSON Schema. What a schema says beyond types,
// properties, required, items, prefixItems, enum, const, anyOf, oneOf, allOf, local
// $ref, bounds, pattern and format is not looked at.
func (q *question) formatted() (string, error) {
	if string(q.Format) == `"json"` {
		return `{"answer": ` + quoted(prose(subject(q.last()), 2, newRandom(q.seed, "prose"))) + `, "simulated": true}`, nil
	}
	root, err := parseNode(q.Format)
	if err != nil || root.fields == nil {
		return "", errSchema
	}
	m := &maker{root: root, random: newRandom(q.seed, "instance"), subject: subject(q.last())}
	return m.make(root, "", 0)
}

// A maker makes an instance of a schema.
type maker struct {
	root    *node
	random  *random
	subject string
	steps   int // taken so far
}

const (
	cautiousDepth = 6   // below it only what must be is made
	maxDepth      = 64  // a schema that needs more has no finite instance
	maxSteps      = 2e4 // one that needs more is a bomb
)

// make gives an instance of a schema; name is the property it is for.
func (m *maker) make(n *node, name string, depth int) (string, error) {
	m.steps++
	if depth > maxDepth || m.steps > maxSteps {
		return "", errSchema
	}
	if allowed, ok := n.boolean(); ok {
		if !allowed {
			return "", errSchema
		}
		return m.words(name, 0, 80), nil
	}
	switch {
	case n.fields == nil:
		return "", errSchema
	case n.get("$ref") != nil:
		target, err := m.root.resolve(n.text("$ref"))
		if err != nil {
			return "", err
		}
		return m.make(target, name, depth+1)
	case n.get("const") != nil:
		return n.get("const").json(), nil
	case n.get("enum") != nil:
		return m.oneOf(n.get("enum"))
	case n.get("anyOf") != nil:
		return m.either(n, "anyOf", name, depth)
	case n.get("oneOf") != nil:
		return m.either(n, "oneOf", name, depth)
	case n.get("allOf") != nil:
		return m.all(n, name, depth)
	}
	return m.typed(n, name, depth)
}

func (n *node) boolean() (value, ok bool) {
	value, ok = n.value.(bool)
	return value, ok
}

func (m *maker) oneOf(list *node) (string, error) {
	if len(list.items) == 0 {
		return "", errSchema
	}
	return list.items[m.random.below(len(list.items))].json(), nil
}

// either makes one of some alternatives, with what the schema says beside them;
// deep down the first that comes to an end.
func (m *maker) either(n *node, keyword, name string, depth int) (string, error) {
	choices := n.get(keyword).items
	if len(choices) == 0 {
		return "", errSchema
	}
	first := m.random.below(len(choices))
	if depth >= cautiousDepth {
		first = m.shallowest(choices)
	}
	for i := range choices {
		choice := choices[(first+i)%len(choices)]
		if text, err := m.make(merged(n, choice, keyword), name, depth+1); err == nil {
			return text, nil
		}
	}
	return "", errSchema
}

// shallowest finds an alternative that leads no deeper.
func (m *maker) shallowest(choices []*node) int {
	flat := func(c *node) bool {
		t := c.text("type")
		return c.get("const") != nil || c.get("enum") != nil || t != "" && t != "object" && t != "array"
	}
	return max(slices.IndexFunc(choices, flat), 0)
}

func (m *maker) all(n *node, name string, depth int) (string, error) {
	whole := n
	for _, part := range n.get("allOf").items {
		if part.get("$ref") != nil {
			target, err := m.root.resolve(part.text("$ref"))
			if err != nil {
				return "", err
			}
			part = target
		}
		whole = merged(whole, part, "allOf")
	}
	return m.make(merged(whole, &node{fields: map[string]*node{}}, "allOf"), name, depth+1)
}

// merged joins two schemas, without a keyword of the first. Properties and required
// add up, elsewhere the second wins.
func merged(a, b *node, without string) *node {
	if b.fields == nil {
		return b
	}
	out := &node{fields: map[string]*node{}}
	for _, from := range []*node{a, b} {
		for _, key := range from.keys {
			if from == a && key == without {
				continue
			}
			out.put(key, joined(key, out.fields[key], from.fields[key]))
		}
	}
	return out
}

func joined(key string, a, b *node) *node {
	switch {
	case a == nil:
		return b
	case key == "properties" && a.fields != nil && b.fields != nil:
		out := &node{fields: map[string]*node{}}
		for _, from := range []*node{a, b} {
			for _, name := range from.keys {
				out.put(name, from.fields[name])
			}
		}
		return out
	case key == "required":
		return &node{isList: true, items: slices.Concat(a.items, b.items)}
	}
	return b
}

func (n *node) put(key string, value *node) {
	if n.fields[key] == nil {
		n.keys = append(n.keys, key)
	}
	n.fields[key] = value
}

// typed makes an instance by type; without one by the keywords there are.
func (m *maker) typed(n *node, name string, depth int) (string, error) {
	switch m.typeOf(n) {
	case "object":
		return m.object(n, depth)
	case "array":
		return m.array(n, name, depth)
	case "string":
		return m.str(n, name)
	case "integer":
		return m.integer(n)
	case "number":
		return m.number(n)
	case "boolean":
		return strconv.FormatBool(m.random.below(2) == 0), nil
	case "null":
		return "null", nil
	}
	return "", errSchema
}

// impliedTypes are the types that keywords speak of.
var impliedTypes = []struct{ keyword, kind string }{
	{"properties", "object"}, {"required", "object"}, {"additionalProperties", "object"},
	{"items", "array"}, {"prefixItems", "array"}, {"minItems", "array"},
	{"minimum", "number"}, {"maximum", "number"}, {"multipleOf", "number"},
}

func (m *maker) typeOf(n *node) string {
	t := n.get("type")
	switch {
	case t != nil && t.isList && len(t.items) > 0:
		kind, _ := t.items[m.random.below(len(t.items))].value.(string)
		return kind
	case t != nil:
		return cmp.Or(n.text("type"), "none")
	}
	for _, implied := range impliedTypes {
		if n.get(implied.keyword) != nil {
			return implied.kind
		}
	}
	return "string"
}

// object makes all properties; deep down only those that must be.
func (m *maker) object(n *node, depth int) (string, error) {
	must := n.required()
	properties := n.get("properties")
	var parts []string
	add := func(key string, schema *node) error {
		text, err := m.make(schema, key, depth+1)
		if err == nil {
			parts = append(parts, quoted(key)+": "+text)
		}
		return err
	}
	if properties != nil {
		for _, key := range properties.keys {
			needed := slices.Contains(must, key)
			if !needed && depth >= cautiousDepth {
				continue
			}
			if err := add(key, properties.fields[key]); err != nil && needed {
				return "", err
			}
		}
	}
	for _, key := range must {
		if properties.get(key) == nil {
			if err := add(key, m.other(n)); err != nil {
				return "", err
			}
		}
	}
	for i := len(parts); i < n.count("minProperties", 0); i++ {
		if err := add("key"+strconv.Itoa(i+1), m.other(n)); err != nil {
			return "", err
		}
	}
	return "{" + strings.Join(parts, ", ") + "}", nil
}

func (n *node) required() []string {
	var names []string
	if list := n.get("required"); list != nil {
		for _, item := range list.items {
			if s, ok := item.value.(string); ok && !slices.Contains(names, s) {
				names = append(names, s)
			}
		}
	}
	return names
}

// other is the schema of properties that are not listed.
func (m *maker) other(n *node) *node {
	if schema := n.get("additionalProperties"); schema != nil && schema.fields != nil {
		return schema
	}
	return &node{value: true}
}

// array makes the fewest items allowed, and up to three where more are.
func (m *maker) array(n *node, name string, depth int) (string, error) {
	least := n.count("minItems", 0)
	size := max(least, min(n.count("maxItems", 3), 1+m.random.below(3)))
	if depth >= cautiousDepth {
		size = least
	}
	var parts []string
	unique, _ := n.get("uniqueItems").truth()
	for i := 0; len(parts) < size && i < 20*size+20; i++ {
		text, err := m.make(n.item(len(parts)), name, depth+1)
		if err != nil && len(parts) >= least {
			break
		}
		if err != nil {
			return "", err
		}
		if !unique || !slices.Contains(parts, text) {
			parts = append(parts, text)
		}
	}
	if len(parts) < least {
		return "", errSchema
	}
	return "[" + strings.Join(parts, ", ") + "]", nil
}

func (n *node) truth() (value, ok bool) {
	if n == nil {
		return false, false
	}
	return n.boolean()
}

// item is the schema of an array's i-th item.
func (n *node) item(i int) *node {
	items := n.get("items")
	first := n.get("prefixItems")
	if items != nil && items.isList { // as draft-07 spells it
		first, items = items, n.get("additionalItems")
	}
	switch {
	case first != nil && i < len(first.items):
		return first.items[i]
	case items != nil:
		return items
	}
	return &node{value: true}
}

func (m *maker) integer(n *node) (string, error) {
	r := n.bounds()
	low, high := r.integers()
	step := 1.0
	if by, ok := n.number("multipleOf"); ok && by >= 1 && by == math.Trunc(by) {
		step = by
		low, high = math.Ceil(low/by)*by, math.Floor(high/by)*by
	}
	if low > high {
		return "", errSchema
	}
	choices := min((high-low)/step+1, 1e9)
	value := low + step*float64(m.random.below(int(choices)))
	return strconv.FormatFloat(value, 'f', -1, 64), nil
}

func (m *maker) number(n *node) (string, error) {
	if n.get("multipleOf") != nil {
		return m.integer(n)
	}
	r := n.bounds()
	if r.low > r.high || r.low == r.high && (r.openLow || r.openHigh) {
		return "", errSchema
	}
	value := r.low + (r.high-r.low)*(0.1+0.8*m.random.share()) // well inside: bounds may be excluded
	if rounded := math.Round(value*100) / 100; r.low < rounded && rounded < r.high {
		value = rounded
	}
	return strconv.FormatFloat(value, 'f', -1, 64), nil
}

// A span is the numbers a schema allows.
type span struct {
	low, high         float64
	openLow, openHigh bool // the bound itself is excluded
}

// integers gives the least and the greatest integer of the span.
func (r span) integers() (low, high float64) {
	low, high = math.Ceil(r.low), math.Floor(r.high)
	if r.openLow && low == r.low {
		low++
	}
	if r.openHigh && high == r.high {
		high--
	}
	return low, high
}

// bounds reads a schema's bounds; where one is missing, it is some way off the
// other.
func (n *node) bounds() span {
	low, openLow, hasLow := n.bound("minimum", "exclusiveMinimum", 1)
	high, openHigh, hasHigh := n.bound("maximum", "exclusiveMaximum", -1)
	const wide = 100
	switch {
	case !hasLow && !hasHigh:
		high = wide
	case !hasHigh:
		high = low + wide
	case !hasLow:
		low = min(0, high-wide)
	}
	return span{low, high, openLow, openHigh}
}

// bound reads one bound, included or excluded; of two the narrower.
func (n *node) bound(keyword, exclusive string, inwards float64) (value float64, open, ok bool) {
	value, ok = n.number(keyword)
	if without, _ := n.get(exclusive).truth(); without && ok { // as draft-04 spells it
		return value, true, true
	}
	excluded, isNumber := n.number(exclusive)
	if isNumber && (!ok || (excluded-value)*inwards >= 0) {
		return excluded, true, true
	}
	return value, false, ok
}

// str makes a string of the format, pattern or length asked for.
func (m *maker) str(n *node, name string) (string, error) {
	if pattern := n.text("pattern"); pattern != "" {
		text, err := m.matching(pattern)
		return quoted(text), err
	}
	if example, ok := formatExamples[n.text("format")]; ok {
		return quoted(example), nil
	}
	least, most := n.count("minLength", 0), n.count("maxLength", 80)
	if n.get("maxLength") == nil {
		most = max(most, least)
	}
	if least > most {
		return "", errSchema
	}
	return m.words(name, least, most), nil
}

// formatExamples are strings of the formats of JSON Schema.
var formatExamples = map[string]string{
	"date": "2026-01-01", "time": "12:00:00Z", "date-time": "2026-01-01T12:00:00Z", "duration": "P1D",
	"email": "simulated@example.com", "uri": "https://example.com/simulated", "hostname": "example.com",
	"ipv4": "192.0.2.1", "ipv6": "2001:db8::1", "uuid": "00000000-0000-4000-8000-000000000001",
}

// words makes a JSON string of least to most characters about the subject.
func (m *maker) words(name string, least, most int) string {
	text := m.subject
	if name != "" && m.random.below(2) == 0 {
		text = strings.ReplaceAll(name, "_", " ") + " of " + text
	}
	for utf8.RuneCountInString(text) < least {
		text += " " + strings.TrimSuffix(middles[m.random.below(len(middles))], ".")
	}
	runes := []rune(text)
	return quoted(string(runes[:min(len(runes), most)]))
}
