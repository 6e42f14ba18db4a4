package output

// lines is the form jsonl: a record a line.
type lines struct{ shape shape }

func (l *lines) begin(dst []byte, _ *file, _ *input) ([]byte, error) { return dst, nil }

func (l *lines) record(dst []byte, _ *file, in *input) ([]byte, error) {
	return append(l.shape.append(dst, in), '\n'), nil
}

func (l *lines) end(dst []byte, _ *file) []byte { return dst }
