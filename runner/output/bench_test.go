package output_test

import (
	"io"
	"testing"

	"github.com/batchrunner/runner/runner/output"
)

func BenchmarkRecord(b *testing.B) {
	w := newBench(b, []string{"sentence", "language"})
	s := output.NewStream(io.Discard, w.job, w.plan)
	rec := ok(7, object{"sentence": object{"id": "s1", "text": "Hello, how are you?"}, "language": "Spanish"}, "Hola, ¿cómo estás?")
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Write(rec); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	for _, file := range []string{"out.jsonl", "out.csv", "out-{{ .language }}.jsonl"} {
		b.Run(file, func(b *testing.B) {
			w := newBench(b, []string{"sentence", "language"}, to(b, file))
			rec := ok(7, object{"sentence": object{"id": "s1", "text": "Hello, how are you?"}, "language": "Spanish"}, "Hola, ¿cómo estás?")
			b.ReportAllocs()
			for b.Loop() {
				w.write(rec)
			}
		})
	}
}
