package runner

import (
	"errors"
	"time"
)

// A Class names what went wrong with a task. Every failed row has exactly one.
type Class string

// The classes of failure. The comment says how each is treated.
const (
	Input           Class = "input"            // the row's values make no request; fails, unasked
	Upstream        Class = "upstream"         // a step it reads failed; fails, unasked
	Timeout         Class = "timeout"          // a bound of the attempt passed; attempted again
	Disconnected    Class = "disconnected"     // the connection broke in mid-answer; attempted again
	Incomplete      Class = "incomplete"       // the answer ended without done:true; attempted again
	Repeat          Class = "repeat"           // it ended without done:true after one token over and over; once again
	Unreachable     Class = "unreachable"      // no connection; waits for the server, uses up no attempt
	Busy            Class = "busy"             // 503, queue full; waits, uses up no attempt
	RateLimited     Class = "rate_limited"     // 429; waits as told, uses up no attempt
	Server          Class = "server"           // 5xx, or an error in the stream; attempted again
	Crashed         Class = "crashed"          // the model's process died; at most two attempts
	Protocol        Class = "protocol"         // the reply is not Ollama's (a proxy's page, foreign JSON); attempted again
	Redirected      Class = "redirected"       // the reply sends the prompt elsewhere; fails
	TooLarge        Class = "too_large"        // the answer passes the size limit; fails
	Empty           Class = "empty"            // an answer without text; once again
	ThinkingOnly    Class = "thinking_only"    // thought, but no answer; fails
	Cut             Class = "cut"              // ended at our own default num_predict; fails
	ContextOverflow Class = "context_overflow" // the prompt is longer than num_ctx; fails
	Schema          Class = "schema"           // not JSON, or not what format asks for; fails
	InvalidRequest  Class = "invalid_request"  // any other 400; fails
	Capability      Class = "capability"       // the model can't do what is asked; fails the step's other rows of the model, too
	ModelMissing    Class = "model_missing"    // 404; fails all rows of the model
	DoesNotFit      Class = "does_not_fit"     // the host's memory can't hold the model; fails all its rows, but once it has answered: once again
	Unauthorized    Class = "unauthorized"     // 401, 403; stops the run
	NotStored       Class = "not_stored"       // nothing is stored and nothing may be asked; fails, unasked
	Interrupted     Class = "interrupted"      // the run ended before the task did; the row has no record
)

// A Treatment is what a run does about a failed attempt.
type Treatment uint8

// The treatments. FailRow is that of a class nobody has heard of, too.
const (
	FailRow       Treatment = iota // the task fails: the same request would fail again
	AskAgain                       // another attempt after a backoff, as often as the step's retry allows
	AskOnceAgain                   // one more attempt, if the step's retry allows it
	WaitForServer                  // the server is left alone for a while; the row loses no attempt, and fails if it alone is refused
	FailModel                      // the task fails, and unasked all later ones of its model, as far as its class reaches
	StopRun                        // the task fails and nothing more is asked
)

// Treatment returns what a run does about an attempt that failed with class c.
func (c Class) Treatment() Treatment {
	switch c {
	case Timeout, Disconnected, Incomplete, Server, Protocol:
		return AskAgain
	case Repeat, Crashed, Empty:
		return AskOnceAgain
	case Unreachable, Busy, RateLimited:
		return WaitForServer
	case Capability, ModelMissing, DoesNotFit:
		return FailModel
	case Unauthorized:
		return StopRun
	default:
		return FailRow
	}
}

// OfRequest says that the request itself, with its model, is what failed: it would
// fail again. Such a failure is kept like an answer and not asked again until the
// request changes. What failed for reasons outside of it (the server, the network,
// time) is asked again by the next run.
func (c Class) OfRequest() bool {
	switch c {
	case Repeat, TooLarge, Empty, ThinkingOnly, Cut, ContextOverflow, Schema, InvalidRequest, Capability:
		return true
	default:
		return false
	}
}

// answered says whether the server did its part: what went wrong lies in the
// request or in the model, and says nothing about the server's health.
func (c Class) answered() bool {
	switch c.Treatment() {
	case FailRow, FailModel:
		return true
	default:
		return c == Empty
	}
}

// An Error is why a task failed or an attempt did.
type Error struct {
	Class   Class
	Message string // for a person, one line, in their words
	Status  int    // HTTP status, where there was one
	// RetryAfter is how long the server asked to be left alone, 0 where it did not.
	RetryAfter time.Duration
	Cause      error
}

func (e *Error) Error() string { return e.Message }

func (e *Error) Unwrap() error { return e.Cause }

// classed returns err as an *Error: itself where it is one that names its class,
// else an error of class otherwise with its message.
func classed(err error, otherwise Class) *Error {
	var e *Error
	if errors.As(err, &e) && e.Class != "" {
		return e
	}
	return &Error{Class: otherwise, Message: err.Error(), Cause: err}
}
