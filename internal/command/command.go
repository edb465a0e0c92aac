// Package command is what every main of this repository shares: it ends on
// a signal, and a failure is one line and an exit status.
package command

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// Exit statuses.
const (
	Failed      = 1   // run returned an error
	BadUsage    = 2   // a flag or an argument makes no sense
	Interrupted = 130 // ended by a signal, as shells count it
)

// Main parses the command line and calls run with a context that SIGINT
// and SIGTERM cancel. A second signal ends the process at once. Main
// returns the exit status.
func Main(name string, run func(context.Context) error) int {
	parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	err := run(ctx)
	switch _, usage := errors.AsType[*UsageError](err); {
	case err == nil:
		return 0
	case ctx.Err() != nil && IsCanceled(err):
		fmt.Fprintf(os.Stderr, "%s: interrupted\n", name)
		return Interrupted
	case usage:
		fmt.Fprintf(os.Stderr, "%s: %v (see -help)\n", name, err)
		return BadUsage
	default:
		fmt.Fprintf(os.Stderr, "%s: %s\n", name, Describe(err))
		return Failed
	}
}

// parse is [flag.Parse], with flags allowed after arguments too.
func parse() {
	flag.Parse()
	var args []string
	for flag.NArg() > 0 {
		args = append(args, flag.Arg(0))
		_ = flag.CommandLine.Parse(flag.Args()[1:]) // exits on error
	}
	_ = flag.CommandLine.Parse(append([]string{"--"}, args...))
}

// A UsageError is a command line that makes no sense.
type UsageError struct{ text string }

func (e *UsageError) Error() string { return e.text }

// Usagef returns a [UsageError].
func Usagef(format string, args ...any) error {
	return &UsageError{fmt.Sprintf(format, args...)}
}

// IsCanceled reports whether err is a cancelled context, on this side of
// the connection or as a status.
func IsCanceled(err error) bool {
	return errors.Is(err, context.Canceled) || status.Code(err) == codes.Canceled
}

// Describe returns the text of err with a gRPC status inside it written as
// "Code: message", not as "rpc error: code = Code desc = message".
func Describe(err error) string {
	wrapped, ok := errors.AsType[interface {
		error
		GRPCStatus() *status.Status
	}](err)
	if !ok {
		return err.Error()
	}
	st := wrapped.GRPCStatus()
	short := fmt.Sprintf("%s: %s", st.Code(), st.Message())
	return strings.Replace(err.Error(), wrapped.Error(), short, 1)
}
