package console

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// attachAndStart returns a handler that calls start for each command, in the
// goroutine that receives.
func attachAndStart(start func(run func())) func(stream) error {
	return func(stream stream) error {
		interrupt := func() {}
		for {
			in, err := stream.Recv()
			if err != nil {
				return err
			}
			if in.GetInterrupt() != nil {
				interrupt()
				continue
			}
			ctx, cancel := context.WithCancel(stream.Context())
			interrupt = cancel
			start(func() { _ = stream.Send(End(trace(ctx, stream))) })
		}
	}
}

func inline(run func())    { run() }
func goroutine(run func()) { go run() }

func TestInterrupt_ReceiverThatWaitsReceivesItLate(t *testing.T) {
	for name, tt := range map[string]struct {
		start func(run func())
		end   string
		took  time.Duration
	}{
		"the receiver runs the command": {inline, "end with OK", time.Hour},
		"another goroutine runs it":     {goroutine, "end with Canceled", time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stream := open(t, attachAndStart(tt.start))
				require.NoError(t, stream.Send(Command("trace")))
				start := time.Now()
				time.Sleep(time.Minute)
				require.NoError(t, stream.Send(Interrupt()))
				_, end := untilEnd(t, stream)
				require.Equal(t, tt.end, end)
				require.Equal(t, tt.took, time.Since(start))
			})
		})
	}
}

// The handler hands commands to a goroutine that needs a second until it runs
// them. The context is made there, or by the receiver, where the inputs are
// still in order.
func TestInterrupt_OvertakesACommandThatIsHandedOn(t *testing.T) {
	for name, tt := range map[string]struct {
		inOrder bool
		end     string
	}{
		"the runner makes the context":   {false, "end with OK"}, // the interrupt had no effect
		"the receiver makes the context": {true, "end with Canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stream := open(t, func(stream stream) error {
					var mu sync.Mutex
					interrupt := func() {}
					begin := func() context.Context {
						mu.Lock()
						defer mu.Unlock()
						ctx, cancel := context.WithCancel(stream.Context())
						interrupt = cancel
						return ctx
					}
					commands := make(chan context.Context, 1)
					defer close(commands)
					go func() {
						for ctx := range commands {
							time.Sleep(time.Second)
							if !tt.inOrder {
								ctx = begin()
							}
							_ = stream.Send(End(trace(ctx, stream)))
						}
					}()
					for {
						in, err := stream.Recv()
						switch {
						case err != nil:
							return err
						case in.GetInterrupt() != nil:
							mu.Lock()
							interrupt()
							mu.Unlock()
						case tt.inOrder:
							commands <- begin()
						default:
							commands <- nil
						}
					}
				})
				require.NoError(t, stream.Send(Command("trace")))
				require.NoError(t, stream.Send(Interrupt()))
				_, end := untilEnd(t, stream)
				require.Equal(t, tt.end, end)
			})
		})
	}
}

func TestHalfClose_DeferredCancelEndsTheCommand(t *testing.T) {
	for name, tt := range map[string]struct {
		deferred bool
		end      string
	}{
		"the receiver defers cancel": {true, "end with Canceled"},
		"only the handler does":      {false, "end with OK"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				stream := open(t, func(stream stream) error {
					ctx, cancel := context.WithCancel(stream.Context())
					defer cancel()
					commands := make(chan string, 1)
					go func() { // receives until the half-close
						if tt.deferred {
							defer cancel()
						}
						for {
							in, err := stream.Recv()
							if err != nil {
								return
							}
							commands <- in.GetCommand()
						}
					}()
					<-commands
					return stream.Send(End(trace(ctx, stream)))
				})
				require.NoError(t, stream.Send(Command("trace")))
				time.Sleep(time.Second)
				require.NoError(t, stream.CloseSend())
				_, end := untilEnd(t, stream)
				require.Equal(t, tt.end, end)
			})
		})
	}
}

// The client reads only after it has sent the interrupt.
func TestInterrupt_LinesInFlightStillArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream := open(t, attachAndStart(goroutine))
		require.NoError(t, stream.Send(Command("trace")))
		time.Sleep(9*time.Minute + time.Second) // the first line has come at once
		require.NoError(t, stream.Send(Interrupt()))
		synctest.Wait()
		lines, end := untilEnd(t, stream)
		require.Equal(t, 10, lines, "lines after the interrupt")
		require.Equal(t, "end with Canceled", end)
	})
}
