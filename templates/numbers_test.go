package templates

import (
	"encoding/json"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// spellings are numbers as JSON spells them, many of them close to each other.
var spellings = rapid.OneOf(
	rapid.StringMatching(`-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?`),
	rapid.StringMatching(`900719925474099[0-9](\.0{1,3}[01]?)?`),
	rapid.StringMatching(`[01]\.10{0,3}`),
)

// TestCompare holds comparisons against exact arithmetic.
func TestCompare(t *testing.T) {
	tmpl, err := Parse(`{{ eq .a .b }} {{ lt .a .b }} {{ ge .b .a }}`)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b := spellings.Draw(t, "a"), spellings.Draw(t, "b")
		x, _ := new(big.Rat).SetString(a)
		y, _ := new(big.Rat).SetString(b)
		want := []bool{x.Cmp(y) == 0, x.Cmp(y) < 0, y.Cmp(x) >= 0}
		scope := map[string]any{"a": json.Number(a), "b": json.Number(b)}
		if rapid.Bool().Draw(t, "text") {
			scope["b"] = b
		}
		got, err := tmpl.Render(scope)
		words := strings.Fields(got)
		if err != nil || len(words) != 3 {
			t.Fatalf("%s and %s: %q, %v", a, b, got, err)
		}
		for i, word := range words {
			if (word == "true") != want[i] {
				t.Fatalf("%s and %s: %q, want %v", a, b, got, want)
			}
		}
	})
}

// TestWholeArithmetic holds whole numbers against math/big: exact, or refused.
func TestWholeArithmetic(t *testing.T) {
	edges := rapid.OneOf(rapid.Int64(), rapid.SampledFrom([]int64{0, 1, -1, 2, 1<<63 - 1, -1 << 63, 1 << 53}))
	for name, exact := range map[string]func(z, x, y *big.Int) *big.Int{
		"add": (*big.Int).Add, "sub": (*big.Int).Sub, "mul": (*big.Int).Mul, "div": (*big.Int).Quo, "mod": (*big.Int).Rem,
	} {
		tmpl, err := Parse("{{ " + name + " .x .y }}")
		if err != nil {
			t.Fatal(err)
		}
		rapid.Check(t, func(t *rapid.T) {
			x, y := edges.Draw(t, "x"), edges.Draw(t, "y")
			if y == 0 && (name == "div" || name == "mod") {
				y = 1
			}
			want := exact(new(big.Int), big.NewInt(x), big.NewInt(y))
			got, err := tmpl.Render(map[string]any{"x": json.Number(big.NewInt(x).String()), "y": y})
			switch {
			case want.IsInt64() && (err != nil || got != want.String()):
				t.Fatalf("%s %d %d gives %q, %v; want %s", name, x, y, got, err, want)
			case !want.IsInt64() && err == nil:
				t.Fatalf("%s %d %d gives %q, want an error", name, x, y, got)
			}
		})
	}
}

// TestNumericText says which texts are numbers to comparisons: JSON's.
func TestNumericText(t *testing.T) {
	for text, want := range map[string]bool{
		"0": true, "-0": true, "10": true, "1.10": true, "1e5": true, "-1.5E-3": true, "18446744073709551616": true,
		"": false, "007": false, "+1": false, ".5": false, "5.": false, "1e": false, "0x10": false, "1_000": false, "1a": false,
		"NaN": false, "Inf": false, "1e999": false, "1e-999": false, "١": false, "-": false, "1.1.1": false,
		strings.Repeat("9", 301): false,
	} {
		if _, ok := numberOf(text); ok != want {
			t.Errorf("%q is a number: %t, want %t", text, ok, want)
		}
	}
}
