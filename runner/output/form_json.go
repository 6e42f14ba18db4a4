package output

import (
	"fmt"
	"hash/maphash"

	"github.com/batchrunner/runner/specs"
)

// array is the form json: an array with one record a line.
type array struct{ shape shape }

func (a *array) begin(dst []byte, _ *file, _ *input) ([]byte, error) { return append(dst, '['), nil }

func (a *array) record(dst []byte, f *file, in *input) ([]byte, error) {
	return a.shape.append(appendSeparator(dst, f), in), nil
}

func (a *array) end(dst []byte, f *file) []byte { return appendClose(dst, f, ']') }

// appendSeparator begins the line of a file's next element.
func appendSeparator(dst []byte, f *file) []byte {
	if f.rows > 0 {
		dst = append(dst, ',')
	}
	return append(dst, "\n  "...)
}

func appendClose(dst []byte, f *file, bracket byte) []byte {
	if f.rows > 0 {
		dst = append(dst, '\n')
	}
	return append(dst, bracket, '\n')
}

// catalogue is the form json with key and value: an object with a line for each
// row, in row order, as message catalogues want it.
type catalogue struct{ spec *specs.Output }

func (c *catalogue) begin(dst []byte, _ *file, _ *input) ([]byte, error) {
	return append(dst, '{'), nil
}

func (c *catalogue) record(dst []byte, f *file, in *input) ([]byte, error) {
	key, err := in.render("key", c.spec.Key)
	if err != nil {
		return dst, err
	}
	value, err := in.value("value", c.spec.Value)
	if err != nil {
		return dst, err
	}
	if row, taken := f.keys.take(key, in.row.Number); taken {
		return dst, &rowError{c.spec.Key, "key", duplicate(key, row, f)}
	}
	dst = append(appendString(appendSeparator(dst, f), key), ": "...)
	return appendValue(dst, value), nil
}

func (c *catalogue) end(dst []byte, f *file) []byte { return appendClose(dst, f, '}') }

func duplicate(key string, row int64, f *file) error {
	return fmt.Errorf("%q is the key of row %d too, both in %s; keys of one file must be unique", key, row, f.path)
}

// keys are the keys of one catalogue with their rows, as hashes: 128 bits, so
// that keys count as equal only where they are.
type keys struct {
	rows  map[[2]uint64]int64
	seeds [2]maphash.Seed
}

// take notes a row's key. Where another row has it, that row is returned.
func (k *keys) take(key string, row int64) (other int64, taken bool) {
	if k.rows == nil {
		k.rows = map[[2]uint64]int64{}
		k.seeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}
	}
	sum := [2]uint64{maphash.String(k.seeds[0], key), maphash.String(k.seeds[1], key)}
	if other, taken = k.rows[sum]; taken && other != row {
		return other, true
	}
	k.rows[sum] = row
	return 0, false
}
