package simulate

import "time"

// A kind is one way in which things go wrong. It has one of three parts, by when
// it strikes.
type kind struct {
	name string
	doc  string
	// before strikes before the model is asked; it says whether the request is over.
	before func(c *call) bool
	// shape changes the answer.
	shape func(q *question, r *reply)
	// within strikes in the middle of an answer.
	within func(c *call)

	lasts    time.Duration // how long, of those that take time
	harmless bool          // a good answer follows
}

// kinds are all kinds of faults: what Ollama v0.17.7, the machine below it and the
// proxies before it do. The texts are those of its source.
var kinds = []kind{
	// The connection.
	{name: "reset", doc: "the connection is reset in the middle of an answer (a TCP reset)", within: (*call).resets},
	{name: "cut", doc: "the connection is closed in the middle of an answer, after a whole line", within: (*call).closes},
	{name: "drop", doc: "the connection is closed before any reply", before: func(c *call) bool { return c.drops(closed) }},
	{name: "drop-reset", doc: "the connection is reset before any reply", before: func(c *call) bool { return c.drops(reset) }},
	{name: "down", doc: "the server dies and comes back: connections break, new ones are refused (for=1s)", before: (*call).goesDown, lasts: time.Second},

	// Silence.
	{name: "hang", doc: "no reply ever comes (or a late 500, with for=)", before: (*call).hangs},
	{name: "slow", doc: "the reply begins late (for=5s)", before: (*call).comesLate, lasts: 5 * time.Second, harmless: true},
	{name: "stall", doc: "the answer stops in the middle and the connection stays open (with for= it goes on)", within: (*call).stalls},

	// Streams that end badly.
	{name: "no-done", doc: "the stream ends properly, but without done:true", within: (*call).stopsShort},
	{name: "repeat", doc: "the same token over and over, then the stream ends without done:true (Ollama's limit of 30)", shape: repeats},
	{name: "crash", doc: "an error line in the middle of the stream: the model's process died", within: (*call).crashes},
	{name: "garbled", doc: "a line in the middle of the stream is no JSON", within: (*call).garbles},
	{name: "long-line", doc: "one line of more than 8 MB, which Ollama's own client drops without an error", shape: tooLong(9 << 20)},
	{name: "huge-line", doc: "one line of more than 64 MB", shape: tooLong(65 << 20)},

	// Replies that aren't Ollama's.
	{name: "bad-gateway", doc: "502 with an empty body", before: replies(502, "", "")},
	{name: "html-gateway", doc: "502 with a proxy's HTML page", before: replies(502, "text/html", "<html><head><title>502 Bad Gateway</title></head>\n<body><h1>502 Bad Gateway</h1></body></html>\n")},
	{name: "empty-body", doc: "200 with an empty body", before: replies(200, "application/x-ndjson", "")},
	{name: "foreign-json", doc: "200 with a JSON object that isn't Ollama's", before: replies(200, "application/json", `{"status":"ok","service":"portal"}`+"\n")},
	{name: "html", doc: "200 with an HTML page, as a captive portal sends it", before: replies(200, "text/html", "<!DOCTYPE html>\n<html><body>Please sign in to use this network.</body></html>\n")},
	{name: "redirect", doc: "307 to another place, which would take the prompt there", before: (*call).redirects},

	// Errors of the server.
	{name: "busy", doc: "503, the queue is full", before: fails(503, errBusy.Error())},
	{name: "rate-limit", doc: "429 with Retry-After in seconds (for=1s)", before: (*call).limits, lasts: time.Second},
	{name: "rate-limit-date", doc: "429 with Retry-After as a date (for=2s)", before: (*call).limitsByDate, lasts: 2 * time.Second},
	{name: "error", doc: "500 with a message of no particular kind", before: fails(500, "something went wrong")},
	{name: "load-timeout", doc: "500, the model took too long to load", before: fails(500, "timed out waiting for llama runner to start - progress 0.00 - ")},
	{name: "memory", doc: "500, the model needs more memory than there is", before: fails(500, "model requires more system memory (9.2 GiB) than is available (5.1 GiB)")},
	{name: "layout", doc: "500, the model's memory can't be laid out", before: fails(500, "memory layout cannot be allocated")},
	{name: "resources", doc: "500, the model failed to load for want of resources", before: fails(500, "model failed to load, this may be due to resource limitations or an internal error, check ollama server logs for details")},
	{name: "cuda", doc: "500, the graphics card is out of memory", before: fails(500, "llama runner process has terminated: cudaMalloc failed: out of memory")},
	{name: "stopped", doc: "500, the model's process has stopped", before: fails(500, "model runner has unexpectedly stopped, this may be due to resource limitations or an internal error, check ollama server logs for details")},
	{name: "terminated", doc: "500, the model's process has ended with a status", before: fails(500, "llama runner process has terminated: exit status 2")},
	{name: "not-running", doc: "500, the model's process is no longer there", before: fails(500, "llama runner process no longer running: -1 ")},
	{name: "nan", doc: "500, the model computed something that is no number", before: fails(500, "failed to encode response: json: unsupported value: NaN")},

	// Refusals.
	{name: "missing", doc: "404, the model isn't there", before: fails(404, "model '%s' not found")},
	{name: "pull-first", doc: "404 in its other words: try pulling it first", before: fails(404, `model "%s" not found, try pulling it first`)},
	{name: "capability", doc: "400, the model can't do what is asked", before: fails(400, `"%s" does not support thinking`)},
	{name: "overflow", doc: "400, the prompt is longer than the context", before: fails(400, "the input length exceeds the context length")},
	{name: "invalid", doc: "400 with a message of no particular kind", before: fails(400, "invalid request")},
	{name: "unauthorized", doc: "401 with a place to sign in, as models in the cloud send it", before: replies(401, "application/json; charset=utf-8", `{"error":"unauthorized","signin_url":"https://ollama.com/connect?name=simulated"}`)},
	{name: "forbidden", doc: "403, the cloud is turned off", before: fails(403, "ollama cloud is disabled: remote model is unavailable")},

	// Answers that are no use.
	{name: "loop", doc: "the answer goes round in circles until num_predict", shape: loops},
	{name: "empty", doc: "an answer without text, properly ended", shape: says("")},
	{name: "thinking-only", doc: "the model thinks, and answers nothing", shape: thinksOnly},
	{name: "load-reply", doc: `an empty answer with done_reason "load"`, shape: loadsOnly},
	{name: "garbage", doc: "GGGG... as a broken model writes it, properly ended", shape: says(garbage)},
	{name: "invalid-json", doc: "JSON that breaks off, properly ended", shape: breaksOff},
	{name: "off-schema", doc: "JSON that isn't what the format asks for", shape: says(`{"unexpected": "simulated", "count": "many"}`)},
	{name: "format-ignored", doc: "prose, though the request has a format", shape: ignoresFormat},
	{name: "cut-prompt", doc: "the prompt is cut without a word, though the request forbids it", shape: func(*question, *reply) {}},
}

func kindOf(name string) *kind {
	for i := range kinds {
		if kinds[i].name == name {
			return &kinds[i]
		}
	}
	return nil
}

func kindNames() []string {
	names := make([]string, len(kinds))
	for i := range kinds {
		names[i] = kinds[i].name
	}
	return names
}
