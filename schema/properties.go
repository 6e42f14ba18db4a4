package schema

// Properties returns the names that a schema gives to the properties of the object
// at a path of the value, sorted, and whether it rules out all others. It is not ok
// where the schema doesn't say so plainly: alternatives and conditions are not
// followed.
func (s *Schema) Properties(path []string) (names []string, closed, ok bool) {
	doc := s.top()
	for _, step := range path {
		properties, plain := s.plainObject(doc)
		if !plain {
			return nil, false, false
		}
		if doc, plain = properties[step].(map[string]any); !plain {
			return nil, false, false
		}
	}
	properties, plain := s.plainObject(doc)
	if !plain {
		return nil, false, false
	}
	return sorted(properties), s.follow(doc)["additionalProperties"] == false, true
}

// plainObject returns the properties of a schema that says nothing else of what an
// object may hold.
func (s *Schema) plainObject(doc map[string]any) (map[string]any, bool) {
	doc = s.follow(doc)
	for _, keyword := range []string{"$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "not", "if", "patternProperties", "dependencies", "dependentSchemas"} {
		if _, ok := doc[keyword]; ok {
			return nil, false
		}
	}
	properties, ok := doc["properties"].(map[string]any)
	return properties, ok
}

// follow goes from a reference into the same document to what it names.
func (s *Schema) follow(doc map[string]any) map[string]any {
	for range maxDepth {
		ref, ok := doc["$ref"].(string)
		if !ok || len(ref) == 0 || ref[0] != '#' {
			return doc
		}
		next, ok := at(s.top(), pointer(ref[1:])).(map[string]any)
		if !ok {
			return doc
		}
		doc = next
	}
	return doc
}

func (s *Schema) top() map[string]any {
	doc, _ := s.docs[s.address].(map[string]any)
	return doc
}
