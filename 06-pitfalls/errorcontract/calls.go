package errorcontract

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// An outcome is what a call returned: in a few words, and the error.
type outcome struct {
	text string
	err  error
}

// none is the text of a call that cannot be made: the stream did not open,
// there is no handler, or the RPC type does not have the call.
const none = "—"

// observe makes one call in a bubble after the RPC has ended, as often as the
// termination says, each time on a stream of its own.
func observe(t *testing.T, typ rpcType, term termination, call string) (outcomes []outcome) {
	for run := range term.runs(general(call)) {
		synctest.Test(t, func(t *testing.T) {
			outcomes = append(outcomes, newFixture(t, inMemory, typ, term, run).outcome(general(call)))
		})
	}
	return outcomes
}

// observeTCP makes one call over TCP after the RPC has ended.
func observeTCP(t *testing.T, while time.Duration, typ rpcType, term termination, call string) outcome {
	return newFixture(t, overTCP(while), typ, term, 0).outcome(general(call))
}

// outcome ends the RPC and makes a call.
func (f *fixture) outcome(call string) outcome {
	failed := f.endRPC()
	// A bubble is not idle while a socket is read, so settle also waits for
	// the server of another process.
	f.settle()
	if f.broken != nil {
		return outcome{"fails before the RPC ends: " + f.broken.Error(), f.broken}
	}
	if call == f.fails && failed != nil {
		return describe(failed)
	}
	return f.observe(call)
}

// general returns the name that a call of a client stream has in the other
// RPC types.
func general(call string) string {
	others := map[string]string{"CloseAndRecv": "Recv", "handler SendAndClose": "handler Send"}
	return cmp.Or(others[call], call)
}

func (f *fixture) observe(call string) outcome {
	done := make(chan outcome, 1)
	go func() { done <- f.call(call) }()
	f.settle()
	select {
	case o := <-done:
		return o
	case <-time.After(f.patience):
		return outcome{text: "blocks"}
	}
}

func (f *fixture) call(name string) outcome {
	if name == "open" {
		_, err := f.openStream()
		return describe(err)
	}
	if call, ok := handlerCalls[name]; ok {
		if f.handler == nil || name == "handler Recv" && f.handler.recv == nil {
			return outcome{text: none}
		}
		return call(f.handler)
	}
	if f.client == nil || name == "Send" && f.client.send == nil {
		return outcome{text: none}
	}
	return clientCalls[name](f.client)
}

var clientCalls = map[string]func(*clientEnd) outcome{
	"Send":      func(c *clientEnd) outcome { return describe(c.send(small)) },
	"Recv":      recvUntilError,
	"CloseSend": func(c *clientEnd) outcome { return describe(c.CloseSend()) },
	"Header": func(c *clientEnd) outcome {
		md, err := c.Header()
		return outcome{keys(md) + ", " + describe(err).text, err}
	},
	"Context": func(c *clientEnd) outcome { return describe(c.Context().Err()) },
	"Context after Recv": func(c *clientEnd) outcome {
		recvUntilError(c)
		return describe(c.Context().Err())
	},
	"second Recv": func(c *clientEnd) outcome {
		recvUntilError(c)
		return describe(c.recv())
	},
	// Trailer is valid only after Recv has returned an error, or after
	// CloseAndRecv.
	"Trailer": func(c *clientEnd) outcome {
		recvUntilError(c)
		return outcome{text: keys(c.Trailer())}
	},
}

var handlerCalls = map[string]func(*serverEnd) outcome{
	"handler Recv":       func(h *serverEnd) outcome { return describe(h.recv()) },
	"handler Send":       func(h *serverEnd) outcome { return describe(h.send(small)) },
	"handler SetHeader":  func(h *serverEnd) outcome { return describe(h.SetHeader(extra)) },
	"handler SendHeader": func(h *serverEnd) outcome { return describe(h.SendHeader(extra)) },
	"handler Context": func(h *serverEnd) outcome {
		err := h.Context().Err()
		if cause := context.Cause(h.Context()); fmt.Sprint(cause) != fmt.Sprint(err) {
			return outcome{fmt.Sprintf("%s, cause %v", describe(err).text, cause), err}
		}
		return describe(err)
	},
}

var extra = metadata.Pairs("extra", "1")

// recvUntilError also receives the messages that came before the end.
func recvUntilError(c *clientEnd) outcome {
	var texts []string
	for {
		err := c.recv()
		if err != nil {
			return outcome{strings.Join(append(texts, describe(err).text), ", "), err}
		}
		texts = append(texts, "message")
		if c.one {
			return outcome{text: "message"}
		}
	}
}

// describe names an error by its code. An error of a context has a code too.
func describe(err error) outcome {
	switch {
	case err == nil:
		return outcome{text: "nil"}
	case errors.Is(err, io.EOF) && err.Error() == io.EOF.Error():
		return outcome{"io.EOF", err}
	case errors.Is(err, io.EOF):
		return outcome{"wrapped io.EOF", err}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return outcome{status.FromContextError(err).Code().String(), err}
	default:
		return outcome{status.Code(err).String(), err}
	}
}

func keys(md metadata.MD) string {
	if len(md) == 0 {
		return "nil"
	}
	return strings.Join(slices.Sorted(maps.Keys(md)), " ")
}

var network = regexp.MustCompile(`(error reading from server|Error while dialing): [^"]*`)

// message returns the message of an error, without the text of
// a failed read or dial.
func (o outcome) message() string {
	s, ok := status.FromError(o.err)
	switch {
	case o.err == nil || o.text == "io.EOF":
		return none
	case !ok:
		return "no status: `" + o.err.Error() + "`"
	default:
		text := network.ReplaceAllString(s.Message(), "$1: …")
		// Some builds of protobuf write a no-break space.
		text = strings.NewReplacer("\n", " ", "\u00a0", " ").Replace(text)
		return "`" + cmp.Or(text, `""`) + "`"
	}
}
