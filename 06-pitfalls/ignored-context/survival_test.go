package ignoredcontext

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/06-pitfalls/internal/pitfalltest"
	"example.com/streams/06-pitfalls/internal/service"
	pitfallsv1 "example.com/streams/06-pitfalls/pitfalls/v1"
)

func TestSurvival_OfFixedFollow(t *testing.T) {
	follow := func(updates func(numbers) <-chan int64) func(numbers) error {
		return func(stream numbers) error { return FixedFollow(stream, updates(stream)) }
	}
	survival{
		ends:    follow(func(stream numbers) <-chan int64 { return updates(stream, 3) }),
		want:    []int64{0, 1, 2},
		endless: follow(func(stream numbers) <-chan int64 { return updates(stream, 10*day) }),
		slow:    follow(func(numbers) <-chan int64 { return make(chan int64) }),
		blocked: "rpc error: code = Canceled desc = context canceled", // the error of Send
	}.run(t)
}

func TestSurvival_OfFixedExport(t *testing.T) {
	export := func(n int64) func(numbers) error {
		return func(stream numbers) error { return FixedExport(stream, rows(n)) }
	}
	survival{
		ends:    export(3),
		want:    []int64{0, 1, 2},
		endless: export(day),
		slow:    export(day),
		blocked: "rpc error: code = Canceled desc = context canceled", // the error of Send
	}.run(t)
}

func TestSurvival_OfFixedReport(t *testing.T) {
	report := func(n int64) func(numbers) error {
		return func(stream numbers) error { return FixedReport(stream, n, pages(new(int))) }
	}
	survival{
		ends:    report(3),
		want:    []int64{3},
		endless: report(day),
		slow:    report(day),
		blocked: context.Canceled.Error(), // the report has not been sent
	}.run(t)
}

const day = 24 * 60 * 60 // seconds

// A survival has handlers that run the fixed code.
type survival struct {
	ends    func(numbers) error // sends want and ends
	want    []int64
	endless func(numbers) error // its input lasts a day
	slow    func(numbers) error // has to wait for its input
	blocked string              // the error of endless if its client does not read
}

func (s survival) run(t *testing.T) {
	pitfalltest.Survival{
		InputIsClosed: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, returned := serve(t, s.ends)
			got, err := read(ctx, client)
			require.NoError(t, err)
			require.Equal(t, s.want, got)
			require.NoError(t, end(t, returned))
		}),
		InputNeverEnds: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, returned := serve(t, s.endless)
			ctx, cancel := context.WithTimeout(ctx, 2500*time.Millisecond)
			defer cancel()
			_, err := read(ctx, client)
			require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
			require.Error(t, end(t, returned))
		}),
		PeerEndsWithOK: pitfalltest.NotApplicable("only a server ends an RPC with OK"),
		PeerEndsWithError: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, returned := serve(t, s.slow)
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(2500*time.Millisecond, cancel)
			_, err := read(ctx, client)
			require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)
			require.Error(t, end(t, returned))
		}),
		PeerDoesNotRead: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, returned := serve(t, s.endless)
			ctx, cancel := context.WithCancel(ctx)
			_, err := client.Count(ctx, &pitfallsv1.CountRequest{})
			require.NoError(t, err)
			time.Sleep(6 * time.Hour)
			require.Empty(t, returned, "the handler still runs")
			cancel()
			require.EqualError(t, end(t, returned), s.blocked)
		}),
		PeerDoesNotSend: pitfalltest.NotApplicable("the client sends only its request"),
		DeadlinePasses: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			for _, limit := range []time.Duration{time.Nanosecond, time.Millisecond, 2500 * time.Millisecond} {
				client, returned := serve(t, s.slow)
				ctx, cancel := context.WithTimeout(ctx, limit)
				defer cancel()
				_, err := read(ctx, client)
				require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
				require.Error(t, end(t, returned))
			}
		}),
		ConnectionIsCut: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			returned := make(chan error, 1)
			client, network := pitfalltest.DialFaulty(t, reports(s.slow, returned))
			time.AfterFunc(2500*time.Millisecond, func() { network.Conn().Drop() })
			_, err := read(ctx, client)
			require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err)
			require.Error(t, end(t, returned))
		}),
		ServerIsAway: pitfalltest.NotApplicable("the code runs in the server"),
		ManyInARow: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, _ := serve(t, s.ends)
			pitfalltest.InARow(func(int) {
				got, err := read(ctx, client)
				require.NoError(t, err)
				require.Equal(t, s.want, got)
			})
		}),
		ManyAtOnce: pitfalltest.Survives(func(t *testing.T, ctx context.Context) {
			client, _ := serve(t, s.ends)
			for _, err := range pitfalltest.AtOnce(func(int) error {
				_, err := read(ctx, client)
				return err
			}) {
				require.NoError(t, err)
			}
		}),
	}.Run(t)
}

// serve returns a client of a server whose Count is the handler, and what the
// handler returns.
func serve(t *testing.T, handler func(numbers) error) (pitfallsv1.PitfallServiceClient, <-chan error) {
	returned := make(chan error, pitfalltest.Many)
	return pitfalltest.Dial(t, reports(handler, returned)), returned
}

func reports(handler func(numbers) error, returned chan<- error) *service.Server {
	return &service.Server{OnCount: func(_ *pitfallsv1.CountRequest, stream numbers) error {
		err := handler(stream)
		returned <- err
		return err
	}}
}

// end returns the error of the handler, which must return within two seconds.
func end(t *testing.T, returned <-chan error) error {
	t.Helper()
	return pitfalltest.Go(func() error { return <-returned }).EndsWithin(t, 2*time.Second)
}

// read returns the numbers that arrive, and fails after 1000 of them.
func read(ctx context.Context, c pitfallsv1.PitfallServiceClient) (got []int64, err error) {
	stream, err := c.Count(ctx, &pitfallsv1.CountRequest{})
	if err != nil {
		return nil, err
	}
	for range 1000 {
		n, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err != nil {
			return got, err
		}
		got = append(got, n.GetValue())
	}
	return got, errors.New("more than 1000 numbers")
}

// updates returns a channel that gets ten updates per second, and is closed
// after n updates.
func updates(stream numbers, n int64) <-chan int64 {
	updates := make(chan int64)
	go func() {
		for i := range n {
			time.Sleep(100 * time.Millisecond)
			select {
			case updates <- i:
			case <-stream.Context().Done():
				return
			}
		}
		close(updates)
	}()
	return updates
}
