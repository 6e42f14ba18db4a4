package report

import (
	"slices"
	"testing"
)

func TestOneModelUnderTwoNames(t *testing.T) {
	got := sameModelWarnings([]Model{
		{Name: "a", Digest: "sha256:0123456789abcdef"}, {Name: "b", Digest: "ff"}, {Name: "c", Digest: "0123456789abcdef"}, {Name: "d"}, {Name: "e"},
	})
	want := []string{"a and c are one model, 0123456789ab: a difference between them is of the server, the order or chance"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
