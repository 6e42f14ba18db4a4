package specs

import (
	"maps"
	"reflect"
	"slices"
	"testing"

	"github.com/batchrunner/runner/schema"
	"github.com/google/go-cmp/cmp"
	"gopkg.in/yaml.v3"
)

// The job schema and the types that the loader fills must name the same keys, so
// that editors know what we read and we read what editors offer.
func TestSchemaAndLoaderAgree(t *testing.T) {
	job := schema.JobShape()
	step, output := job.Key("steps").Items, job.Key("outputs").Items
	for _, c := range []struct {
		what  string
		shape *schema.Shape
		into  any
	}{
		{"the job", job, jobFile{}},
		{"matrix", job.Key("matrix"), matrixFile{}},
		{"an axis", job.Key("matrix").Others, axisFile{}},
		{"a step", step, stepFile{}},
		{"prompt", step.Key("prompt"), fileFile{}},
		{"a message", step.Key("messages").Items, messageFile{}},
		{"timeout", step.Key("timeout"), timeoutFile{}},
		{"retry", step.Key("retry"), retryFile{}},
		{"backoff", step.Key("retry").Key("backoff"), backoffFile{}},
		{"an output", output, outputFile{}},
		{"bench", job.Key("bench"), benchFile{}},
		{"goodput", job.Key("bench").Key("goodput"), goodputFile{}},
	} {
		want := c.shape.Names()
		slices.Sort(want)
		if diff := cmp.Diff(want, keysOf(reflect.TypeOf(c.into))); diff != "" {
			t.Errorf("%s: -schema +loader:\n%s", c.what, diff)
		}
	}
}

// Mappings of the job schema that have keys must all be held against a type above,
// or against options, whose keys the next test knows.
func TestNoMappingIsForgotten(t *testing.T) {
	known := map[string]bool{
		"": true, ".matrix": true, ".matrix.*": true, ".prompt": true, ".messages[]": true, ".options": true,
		".timeout": true, ".retry": true, ".retry.backoff": true, ".steps[]": true, ".outputs[]": true,
		".bench": true, ".bench.goodput": true,
	}
	found := map[string]bool{}
	var walk func(path string, s *schema.Shape)
	walk = func(path string, s *schema.Shape) {
		if len(s.Keys) > 0 {
			found[path] = true
		}
		for _, key := range s.Keys {
			walk(path+"."+key.Name, key.Shape)
		}
		if s.Others != nil {
			walk(path+".*", s.Others)
		}
		if s.Items != nil && path != ".steps" {
			walk(path+"[]", s.Items)
		} else if s.Items != nil {
			found[path+"[]"] = true
		}
	}
	walk("", schema.JobShape())
	if diff := cmp.Diff(slices.Sorted(maps.Keys(known)), slices.Sorted(maps.Keys(found))); diff != "" {
		t.Errorf("-known +schema:\n%s", diff)
	}
}

func keysOf(t reflect.Type) []string {
	var keys []string
	for _, field := range reflect.VisibleFields(t) {
		if key := field.Tag.Get("key"); key != "" {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys
}

// What a message shows as an example can be written so, on its line and in a mapping.
func TestFlowIsYAML(t *testing.T) {
	for _, value := range []string{`">= 95%"`, `"2s"`, "4", `"true"`, `"1"`, `"null"`, `"a: b"`, `"@x"`, `"{{ .x }}"`, `"x # y"`, `"- x"`, `"\u0001"`, `""`,
		`{"pass_rate": ">= 95%", "list": ["a, b", "*c", true, 1.10]}`} {
		var want, alone, inside any
		if err := yaml.Unmarshal([]byte(value), &want); err != nil {
			t.Fatal(err)
		}
		text := flow(value)
		if err := yaml.Unmarshal([]byte("k: "+text), &alone); err != nil || !reflect.DeepEqual(alone, any(map[string]any{"k": want})) {
			t.Errorf("%s is written as k: %s, which is %v (%v)", value, text, alone, err)
		}
		if err := yaml.Unmarshal([]byte("{k: "+text+"}"), &inside); err != nil || !reflect.DeepEqual(inside, any(map[string]any{"k": want})) {
			t.Errorf("%s is written as {k: %s}, which is %v (%v)", value, text, inside, err)
		}
	}
}
