package protocol

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	jobsv1 "example.com/streams/07-production/protocol/jobs/v1"
	"example.com/streams/internal/memserver/memservertest"
)

func TestWork_FailureDoesNotEndTheStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := dial(t, &Server{Run: new(job).run})
		results := Work(t.Context(), client, slices.Values([]string{"3s", "1s", "soon", "2s"}))
		got, err := lines(results)
		require.NoError(t, err)
		require.Equal(t, []string{
			`3: InvalidArgument: input: must be a duration, got "soon"`,
			"2: slept 1s", "4: slept 2s", "1: slept 3s",
		}, got)
		again, err := lines(results)
		require.NoError(t, err)
		require.Equal(t, got, again, "each loop is a call")
	})
}

func TestWork_CreditsLimitWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(job)
		client := dial(t, &Server{Run: j.run})
		start := time.Now()

		got, err := lines(Work(t.Context(), client, slices.Values(slices.Repeat([]string{"1s"}, 10_000))))

		require.NoError(t, err)
		require.Len(t, got, 10_000)
		require.Equal(t, Credits, j.get().most, "items at the same time")
		require.Equal(t, 10_000/Credits*time.Second, time.Since(start))
	})
}

func TestWork_LostStreamLeavesFewInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(job)
		server := memservertest.Serve(t, register(&Server{Run: j.run}))
		client := jobsv1.NewJobServiceClient(server.Dial(t))
		time.AfterFunc(10*time.Second+time.Millisecond, server.Stop)

		got, err := lines(Work(t.Context(), client, slices.Values(slices.Repeat([]string{"1s"}, 10_000))))

		require.Equal(t, codes.Unavailable.String(), status.Code(err).String(), "got %v", err)
		require.Len(t, got, 10*Credits)
		require.Equal(t, Credits, j.get().started-len(got), "items that ran without a result")
	})
}

func TestWork_RefusesAnItemWithoutACredit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(job)
		stream := open(t, dial(t, &Server{Run: j.run}))
		for i := range Credits + 1 {
			require.NoError(t, send(stream, i+1, "1s"))
		}
		requireStatus(t, drain(stream), codes.ResourceExhausted, "items: must be at most 4 under way, got 5")
		synctest.Wait()
		require.Zero(t, j.get().running, "items that go on after the stream has ended")
	})
}

// The first result fills the buffers, and the Send of the second waits. The
// credits of the items behind it are not given back.
func TestWork_UnreadResultsKeepTheirCredits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(job)
		long := func(context.Context, string) (string, error) {
			j.add(1)
			return strings.Repeat("x", 1<<20), nil
		}
		server := memservertest.Serve(t, register(&Server{Run: long}))
		conn := server.Dial(t, grpc.WithStaticStreamWindowSize(64<<10))
		stream := open(t, jobsv1.NewJobServiceClient(conn))
		for i := range 100 {
			require.NoError(t, send(stream, i+1, ""))
			synctest.Wait()
		}
		require.Equal(t, 2+Credits, j.get().started)
		requireStatus(t, drain(stream), codes.ResourceExhausted, "items: must be at most 4 under way, got 5")
	})
}

// The second input takes 10 s.
func TestWork_WaitsForInputsBeforeResults(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, start := dial(t, &Server{Run: new(job).run}), time.Now()
		inputs := func(yield func(string) bool) {
			if yield("1s") {
				time.Sleep(10 * time.Second)
				yield("1s")
			}
		}
		var results []time.Duration
		for _, err := range Work(t.Context(), client, inputs) {
			require.NoError(t, err)
			results = append(results, time.Since(start))
		}
		require.Equal(t, []time.Duration{10 * time.Second, 11 * time.Second}, results)
	})
}

// At a deadline, the client's reset may come before the server's own timer.
func TestHandlers_ReturnHowTheContextEnded(t *testing.T) {
	for method, first := range map[string]proto.Message{
		jobsv1.JobService_Work_FullMethodName:   helloMessage(&jobsv1.Hello{Versions: []uint32{2}}),
		jobsv1.JobService_Upload_FullMethodName: &jobsv1.UploadRequest{Upload: "file", Chunk: []byte("abc")},
	} {
		for timeout, want := range map[time.Duration][]codes.Code{
			time.Minute: {codes.Canceled}, time.Millisecond: {codes.DeadlineExceeded, codes.Canceled},
		} {
			synctest.Test(t, func(t *testing.T) {
				ended := make(chan error, 1)
				server := memservertest.Serve(t, register(&Server{Root: newRoot(t)}), grpc.ChainStreamInterceptor(
					func(srv any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
						err := next(srv, stream)
						ended <- err
						return err
					}))
				ctx, cancel := context.WithTimeout(t.Context(), timeout)
				desc := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
				stream, err := server.Dial(t).NewStream(ctx, desc, method)
				require.NoError(t, err)
				require.NoError(t, stream.SendMsg(first))
				time.Sleep(time.Second)
				cancel()
				err = <-ended
				require.Contains(t, want, status.Code(err), "%s: got %v", method, err)
			})
		}
	}
}

func TestWork_BreakCancelsTheItems(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := new(job)
		client := dial(t, &Server{Run: j.run})
		for _, err := range Work(t.Context(), client, slices.Values([]string{"1s", "1h"})) {
			require.NoError(t, err)
			break
		}
		synctest.Wait()
		require.Zero(t, j.get().running)
	})
}

// Without the replacement, Send would fail and the item had no result.
func TestWork_ReplacesInvalidUTF8(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := dial(t, &Server{Run: func(_ context.Context, input string) (string, error) {
			if input == "bad" {
				return "", errors.New("bad\xff")
			}
			return "good\xff", nil
		}})
		got, err := lines(Work(t.Context(), client, slices.Values([]string{"good", "bad"})))
		require.NoError(t, err)
		require.ElementsMatch(t, []string{"1: good\uFFFD", "2: Unknown: bad\uFFFD"}, got)
	})
}

func TestWork_ReportsAnOKThatComesTooEarly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := dial(t, stub{OnWork: func(stream workStream) error {
			return errors.Join(stream.Send(welcome(2, 4)), stream.Send(output(1, "one")))
		}})
		got, err := lines(Work(t.Context(), client, slices.Values([]string{"a", "b", "c"})))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		require.ErrorContains(t, err, "2 items have no result")
		require.Equal(t, []string{"1: one"}, got)
	})
}

func TestWork_FailureWithoutACodeIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := dial(t, stub{OnWork: func(stream workStream) error {
			failed := &jobsv1.WorkResponse{Item: 1, Done: true, Event: &jobsv1.WorkResponse_Failure{}}
			return errors.Join(stream.Send(welcome(2, 4)), stream.Send(failed))
		}})
		got, err := lines(Work(t.Context(), client, slices.Values([]string{"a"})))
		require.NoError(t, err)
		require.Equal(t, []string{"1: Unknown: "}, got)
	})
}
