package specs

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/batchrunner/runner/schema"
	"github.com/google/go-cmp/cmp"
	"github.com/ollama/ollama/api"
)

// kinds are JSON Schema's names for the kinds of api.Options' fields.
var kinds = map[reflect.Kind]string{
	reflect.Int: "integer", reflect.Float32: "number", reflect.Slice: "array", reflect.Pointer: "boolean",
}

// The job schema's options are those of the pinned Ollama, by name and kind.
func TestOptionsAreOllamas(t *testing.T) {
	want := map[string]string{}
	for _, field := range reflect.VisibleFields(reflect.TypeOf(api.Options{})) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "" {
			want[name] = kinds[field.Type.Kind()]
		}
	}
	got := map[string]string{}
	for _, key := range schema.JobShape().Key("options").Keys {
		if !slices.Contains(key.Shape.Kinds, "string") {
			t.Errorf("option %q can't be a template", key.Name)
		}
		got[key.Name] = key.Shape.Kinds[0]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-api.Options +schema:\n%s", diff)
	}
}

// The options that load a model anew are api.Options' own Runner.
func TestLoadOptionsAreOllamas(t *testing.T) {
	var want []string
	for _, field := range reflect.VisibleFields(reflect.TypeOf(api.Runner{})) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		want = append(want, name)
	}
	if diff := cmp.Diff(want, loadOptions); diff != "" {
		t.Errorf("-api.Runner +ours:\n%s", diff)
	}
}

// Names that Ollama has dropped must not come back into api.Options unseen.
func TestDroppedOptionsAreGone(t *testing.T) {
	for _, name := range dropped {
		if schema.JobShape().Key("options").Key(name) != nil {
			t.Errorf("%q is an option again", name)
		}
	}
}
