package schema

import "testing"

// The walk in specs tells alternatives apart by kind, so no two may share one.
func TestAlternativesDifferInKind(t *testing.T) {
	var seen func(path string, s *Shape)
	seen = func(path string, s *Shape) {
		for i, kind := range s.Kinds {
			for _, other := range s.Kinds[:i] {
				if kind == other {
					t.Errorf("%s: two alternatives are of kind %s", path, kind)
				}
			}
		}
		for _, key := range s.Keys {
			seen(path+"."+key.Name, key.Shape)
		}
		if s.Others != nil {
			seen(path+".*", s.Others)
		}
		if s.Items != nil {
			seen(path+"[]", s.Items)
		}
	}
	seen("job", JobShape())
}

// An editor shows the description of whatever the cursor is on.
func TestEveryPropertyIsDescribed(t *testing.T) {
	var seen func(path string, s *Shape)
	seen = func(path string, s *Shape) {
		if s.Description == "" {
			t.Errorf("%s has no description", path)
		}
		for _, key := range s.Keys {
			seen(path+"."+key.Name, key.Shape)
		}
	}
	seen("job", JobShape())
	seen("job.steps[]", JobShape().Key("steps").Items)
	seen("job.outputs[]", JobShape().Key("outputs").Items)
	seen("job.matrix.axis", JobShape().Key("matrix").Others)
}

func TestJobSchemaCompiles(t *testing.T) {
	if _, err := Compile("job.schema.json", Job(), nil); err != nil {
		t.Fatal(err)
	}
}
