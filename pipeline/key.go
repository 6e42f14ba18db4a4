package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
)

// A Key identifies a question: the SHA-256 of everything that can change its answer.
// Tasks with equal keys have one answer, whatever their rows, steps and jobs.
type Key [sha256.Size]byte

// String gives the key in hexadecimal, 64 digits.
func (k Key) String() string { return hex.EncodeToString(k[:]) }

// IsZero says whether there is no key: no request could be made, or nobody keeps results.
func (k Key) IsZero() bool { return k == Key{} }

// ParseKey reads what String gives.
func ParseKey(text string) (Key, error) {
	var k Key
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(k) {
		return k, fmt.Errorf("%q is no key: a key has %d hexadecimal digits", text, 2*len(k))
	}
	copy(k[:], b)
	return k, nil
}

// KeyOf gives the key of a request's canonical text.
func KeyOf(canonical []byte) Key { return sha256.Sum256(canonical) }

// An Identity is what a request's key needs beside the request itself.
type Identity struct {
	Digest    string // the model's, as the server's list of models gives it
	Simulated bool   // by a simulated server, whose answers are nobody else's
}

// A Question is what a request's key is made of. What is not set is absent from its
// JSON, so that a new field of the language changes no old key.
type Question struct {
	Version    int             `json:"v"` // QuestionVersion
	Digest     string          `json:"digest"`
	Messages   []Message       `json:"messages"`
	Options    map[string]any  `json:"options,omitempty"` // as sent, also in their spelling
	Format     json.RawMessage `json:"format,omitempty"`
	Think      any             `json:"think,omitempty"`
	Repetition int             `json:"repetition,omitempty"`
	Row        int64           `json:"row,omitempty"`
	Simulated  bool            `json:"simulated,omitempty"`
}

// QuestionVersion is the version of the form of a Question.
const QuestionVersion = 1

// Canonical gives the text of which a request's key is the SHA-256: the Question as JSON
// on one line, fields in their order, options sorted by name. The model's name is not
// in it, and neither are limits, timeouts, checks and outputs.
func (r *Request) Canonical(id Identity) ([]byte, error) {
	text, err := json.Marshal(Question{
		Version: QuestionVersion, Digest: strings.TrimPrefix(id.Digest, "sha256:"),
		Messages: r.Messages, Options: r.Options, Format: r.Format, Think: r.Think,
		Repetition: r.Repetition, Row: r.Row, Simulated: id.Simulated,
	})
	if err != nil {
		return nil, fmt.Errorf("the request can't be written as JSON: %w", err)
	}
	return text, nil
}

// ReadQuestion reads what Canonical gives. Numbers keep their spelling.
func ReadQuestion(canonical []byte) (*Question, error) {
	d := json.NewDecoder(strings.NewReader(string(canonical)))
	d.UseNumber()
	q := new(Question)
	if err := d.Decode(q); err != nil {
		return nil, fmt.Errorf("a stored request can't be read: %w", err)
	}
	return q, nil
}
