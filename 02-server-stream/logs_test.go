package serverstream

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/status"

	logsv1 "example.com/streams/02-server-stream/logs/v1"
	"example.com/streams/internal/bufnet"
)

func dialLog(t *testing.T, log *Log) logsv1.LogServiceClient {
	return logsv1.NewLogServiceClient(bufnet.Dial(t, func(s grpc.ServiceRegistrar) {
		logsv1.RegisterLogServiceServer(s, &LogServer{Log: log})
	}))
}

// appendLines appends "line 1" to "line n" after what the log holds.
func appendLines(log *Log, n int) {
	for range n {
		log.Append(fmt.Sprintf("line %d", log.newest+1), false)
	}
}

// sequences follows the log and returns the sequences that arrive, and the
// end of the stream.
func sequences(ctx context.Context, c logsv1.LogServiceClient, req *logsv1.LogRequest, delay time.Duration) ([]uint64, error) {
	var got []uint64
	err := Follow(ctx, c, req, func(e *logsv1.LogEntry) error {
		got = append(got, e.GetSequence())
		time.Sleep(delay)
		return nil
	})
	return got, err
}

func upTo(n uint64) []uint64 { return between(1, n) }

func between(from, to uint64) []uint64 {
	var s []uint64
	for i := from; i <= to; i++ {
		s = append(s, i)
	}
	return s
}

func TestAnEntryArrivesBeforeTheNextIsAppended(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		stream, err := dialLog(t, log).StreamLogs(ctx, &logsv1.LogRequest{Follow: true})
		require.NoError(t, err)
		for i := range uint64(3) {
			log.Append("tick", false)
			entry, err := stream.Recv()
			require.NoError(t, err)
			require.Equal(t, i+1, entry.GetSequence())
			require.Equal(t, time.Now().UTC(), entry.GetTimestamp().AsTime())
			time.Sleep(time.Minute)
		}
	})
}

func TestWithoutFollowTheStreamEndsAfterTheNewest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10)
		appendLines(log, 3)
		got, err := sequences(t.Context(), dialLog(t, log), &logsv1.LogRequest{}, 0)
		require.NoError(t, err)
		require.Equal(t, upTo(3), got)
	})
}

func TestOnlyEntriesThatContainTheTextArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(20)
		appendLines(log, 12)
		got, err := sequences(t.Context(), dialLog(t, log), &logsv1.LogRequest{Contains: "line 1"}, 0)
		require.NoError(t, err)
		require.Equal(t, []uint64{1, 10, 11, 12}, got)
	})
}

func TestFiftyFollowersOfDifferentSpeedGetAllEntriesInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const entries = 200
		log := NewLog(entries)
		client := dialLog(t, log)
		results := make(chan []uint64)
		for i := range 50 {
			go func() {
				delay := time.Duration(i) * time.Millisecond
				got, err := sequences(t.Context(), client, &logsv1.LogRequest{Follow: true}, delay)
				if status.Code(err) != codes.Unavailable {
					t.Errorf("follower %d ended with %v", i, err)
				}
				results <- got
			}()
		}
		for range entries {
			appendLines(log, 1)
			time.Sleep(20 * time.Millisecond)
		}
		log.Close()
		for range 50 {
			require.Equal(t, upTo(entries), <-results)
		}
	})
}

func TestASlowFollowerDoesNotDelayThePublisher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		_, err := dialLog(t, log).StreamLogs(ctx, &logsv1.LogRequest{Follow: true})
		require.NoError(t, err)

		start := time.Now()
		for range 1000 { // a hundred times what flow control lets through
			log.Append(strings.Repeat("x", MaxLine), false)
			synctest.Wait()
		}
		require.Zero(t, time.Since(start))
	})
}

func TestAFollowerThatFellOutOfTheWindowGetsOutOfRange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(10)
		client := dialLog(t, log)
		fast := make(chan []uint64)
		go func() {
			got, _ := sequences(t.Context(), client, &logsv1.LogRequest{Follow: true}, 0)
			fast <- got
		}()
		go func() {
			for range 1000 {
				log.Append(strings.Repeat("x", MaxLine), false)
				time.Sleep(time.Millisecond)
			}
			log.Close()
		}()

		slow, err := sequences(t.Context(), client, &logsv1.LogRequest{Follow: true}, time.Second)

		require.Equal(t, codes.OutOfRange, status.Code(err), "got %v", err)
		require.ErrorContains(t, err, "is gone, the oldest entry still held is 991")
		require.Equal(t, upTo(uint64(len(slow))), slow, "no gap before the error")
		require.Equal(t, upTo(1000), <-fast)
	})
}

func TestResumingGetsEveryEntryOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := NewLog(1000)
		client := dialLog(t, log)
		enough := errors.New("enough")
		var got []uint64
		for round := range 20 {
			appendLines(log, 13)
			n := 0
			err := Follow(t.Context(), client, &logsv1.LogRequest{After: uint64(len(got))}, func(e *logsv1.LogEntry) error {
				if n++; n > round {
					return enough // before the entry counts as seen
				}
				got = append(got, e.GetSequence())
				return nil
			})
			require.True(t, err == nil || errors.Is(err, enough), "got %v", err)
		}
		require.Equal(t, upTo(uint64(len(got))), got)
	})
}

func TestAnAfterThatTheLogDoesNotHoldIsOutOfRange(t *testing.T) {
	for name, tt := range map[string]struct {
		appended int
		after    uint64
		want     []uint64
		says     string
	}{
		"zero: from the oldest held":   {25, 0, between(16, 25), ""},
		"the one before the oldest":    {25, 15, between(16, 25), ""},
		"the newest: nothing yet":      {25, 25, nil, ""},
		"gone by one":                  {25, 14, nil, "after: 14 is gone, the oldest entry still held is 16"},
		"beyond the newest":            {25, 26, nil, "after: 26 is beyond the newest entry, 25"},
		"an empty log":                 {0, 0, nil, ""},
		"beyond an empty log":          {0, 7, nil, "after: 7 is beyond the newest entry, 0"},
		"as far as a sequence can go":  {25, 1<<64 - 1, nil, "is beyond the newest entry, 25"},
		"a log that is not full":       {5, 2, between(3, 5), ""},
		"a log that is just full":      {10, 0, upTo(10), ""},
		"the first entry just dropped": {11, 1, between(2, 11), ""},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := NewLog(10)
				appendLines(log, tt.appended)
				got, err := sequences(t.Context(), dialLog(t, log), &logsv1.LogRequest{After: tt.after}, 0)
				require.Equal(t, tt.want, got)
				if tt.says == "" {
					require.NoError(t, err)
					return
				}
				require.Equal(t, codes.OutOfRange, status.Code(err), "got %v", err)
				require.ErrorContains(t, err, tt.says)
			})
		})
	}
}

func TestAStreamThatCompressesDoesNotSpoilTheOthers(t *testing.T) {
	for _, first := range []string{"gzip", "identity"} {
		t.Run(first+" first", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := NewLog(10)
				appendLines(log, 3)
				client := dialLog(t, log)
				for _, name := range []string{first, gzip.Name, "identity"} {
					stream, err := client.StreamLogs(t.Context(), &logsv1.LogRequest{}, grpc.UseCompressor(name))
					require.NoError(t, err)
					for i := range uint64(3) {
						entry, err := stream.Recv()
						require.NoError(t, err, "compressor %s", name)
						require.Equal(t, fmt.Sprintf("line %d", i+1), entry.GetMessage())
					}
				}
			})
		})
	}
}
