package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/internal/testproc"
)

var notFound = status.Error(codes.NotFound, `no report "q3"`)

func TestMain_ErrorIsOneLineAndAStatus(t *testing.T) {
	for name, tt := range map[string]struct {
		args   []string
		err    error
		status int
		stderr string
	}{
		"ok":            {nil, nil, 0, ""},
		"failed":        {nil, fmt.Errorf("logs: %w", status.Error(codes.OutOfRange, "the oldest is 7\n\x1b[2J")), 1, `client: logs: OutOfRange: the oldest is 7; \x1b[2J` + "\n"},
		"canceled":      {nil, status.Error(codes.Canceled, "by the server"), 1, "client: Canceled: by the server\n"},
		"usage":         {nil, fmt.Errorf("logs: %w", Usagef("-n: must be at least 0, got %d", -1)), 2, "client: logs: -n: must be at least 0, got -1 (see -help)\n"},
		"unknown flag":  {[]string{"-m"}, nil, 2, "client: flag provided but not defined: -m (see -help)\n"},
		"missing value": {[]string{"-n"}, nil, 2, "client: flag needs an argument: -n (see -help)\n"},
		"late flag":     {[]string{"logs", "-n", "3"}, nil, 2, "client: -n: must come before the arguments (see -help)\n"},
		"wrong value":   {[]string{"-n", "few"}, nil, 2, `client: invalid value "few" for flag -n: parse error (see -help)` + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			p := testproc.Self(t, func() int {
				flag.Int("n", 10, "")
				return Main("client", func(context.Context) error { return tt.err })
			}, tt.args)
			exit, stdout, stderr := p.Wait()
			require.Equal(t, tt.stderr, stderr)
			require.Equal(t, tt.status, exit)
			require.Empty(t, stdout)
		})
	}
}

func TestMain_HelpPrintsTheFlagsAndSucceeds(t *testing.T) {
	exit, stdout, stderr := testproc.Self(t, func() int {
		flag.Int("n", 10, "how `many`")
		return Main("client [flags] FILE", func(context.Context) error { return errors.New("called") })
	}, []string{"-help"}).Wait()
	require.Contains(t, stderr, "Usage: client [flags] FILE\n  -n many\n    \thow many (default 10)\n")
	require.Equal(t, 0, exit)
	require.Empty(t, stdout)
}

func TestMain_SignalCancelsTheContext(t *testing.T) {
	for _, s := range []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(s.String(), func(t *testing.T) {
			if signal.Ignored(s) {
				t.Skip("the process that started the tests ignores this signal, as nohup does")
			}
			p := testproc.Self(t, func() int {
				return Main("client", func(ctx context.Context) error {
					defer fmt.Println("cleaned up")
					fmt.Println("waiting")
					<-ctx.Done()
					return fmt.Errorf("logs: %w", status.FromContextError(ctx.Err()).Err())
				})
			}, nil)
			require.Equal(t, "waiting", p.Line(p.Stdout))
			p.Signal(s)
			exit, stdout, stderr := p.Wait()
			require.Equal(t, "client: interrupted\n", stderr)
			require.Equal(t, 130, exit)
			require.Equal(t, "cleaned up\n", stdout)
		})
	}
}

func TestMain_NohupIgnoresSIGHUP(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no ignored signals that a process inherits")
	}
	testproc.Self(t, func() int {
		signal.Ignore(syscall.SIGHUP) // as if nohup had started this process
		return Main("client", func(context.Context) error {
			fmt.Println("ignored:", signal.Ignored(syscall.SIGHUP))
			return nil
		})
	}, nil).RequireExit(0, "ignored: true\n", "")
}

func TestMain_SecondSignalEndsTheProcess(t *testing.T) {
	p := testproc.Self(t, func() int {
		return Main("client", func(ctx context.Context) error {
			fmt.Println("waiting")
			<-ctx.Done()
			fmt.Println("canceled")
			select {}
		})
	}, nil)
	require.Equal(t, "waiting", p.Line(p.Stdout))
	p.Signal(os.Interrupt)
	require.Equal(t, "canceled", p.Line(p.Stdout))
	p.Signal(os.Interrupt)
	exit, _, stderr := p.Wait()
	require.Equal(t, -1, exit, "killed by the signal")
	require.Empty(t, stderr)
}

func TestDescribe_WritesCodeAndMessage(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{errors.New("plain"), "plain"},
		{notFound, `NotFound: no report "q3"`},
		{fmt.Errorf("report q3: %w", notFound), `report q3: NotFound: no report "q3"`},
		{errors.Join(errors.New("one"), notFound, notFound), `one; NotFound: no report "q3"; NotFound: no report "q3"`},
		{status.Error(codes.Unavailable, ""), "Unavailable: "},
		{status.Error(99, "unheard of"), "Code(99): unheard of"},
		{status.Errorf(codes.Unavailable, "upstream: %v", notFound), `Unavailable: upstream: NotFound: no report "q3"`},
		{errors.New("clear\x1b[2J"), `clear\x1b[2J`},
	} {
		require.Equal(t, tt.want, Describe(tt.err))
	}
}

func TestIsCanceled_OnEitherSideOfTheConnection(t *testing.T) {
	for _, err := range []error{
		context.Canceled,
		fmt.Errorf("read: %w", context.Canceled),
		status.Error(codes.Canceled, "context canceled"),
		errors.Join(fmt.Errorf("logs: %w", status.Error(codes.Canceled, ""))),
	} {
		require.True(t, isCanceled(err), "%v", err)
	}
	for _, err := range []error{nil, context.DeadlineExceeded, notFound, errors.New("canceled")} {
		require.False(t, isCanceled(err), "%v", err)
	}
}
