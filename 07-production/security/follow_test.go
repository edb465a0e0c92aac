package security

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"example.com/streams/02-server-stream/logs"
	logsv1 "example.com/streams/02-server-stream/logs/v1"
)

// A token is valid for an hour, and the log gets an entry per minute.
func TestFollow_NewTokenMissesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour+30*time.Second)
		defer cancel()
		go logs.Generate(ctx, f.log, time.Minute)
		time.AfterFunc(90*time.Minute, func() { f.sessions.Revoke("ada") })
		var ends []string
		next := uint64(1)
		for e, err := range Follow(ctx, f.dial(t, f.serveLog(t), f.as("ada")), &logsv1.LogRequest{Follow: true},
			func(err error) { ends = append(ends, status.Convert(err).Message()) }) {
			if err != nil {
				require.Equal(t, codes.DeadlineExceeded, status.Code(err), "got %v", err)
				break
			}
			require.Equal(t, next, e.GetSequence())
			next++
		}
		require.EqualValues(t, 24*60+1, next, "each entry once")
		require.Len(t, ends, 24)
		require.Contains(t, ends[0], "expired")
		require.Contains(t, ends[1], "revoked")
	})
}

// More than a second without an entry is not a refusal.
func TestFollow_QuietLogIsNotARefusal(t *testing.T) {
	for _, life := range []time.Duration{1001 * time.Millisecond, time.Hour} {
		t.Run(life.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				f.life = life
				time.AfterFunc(24*life+time.Minute, func() { f.log.Append("at last", false) })
				for e, err := range Follow(t.Context(), f.dial(t, f.serveLog(t), f.as("ada")), &logsv1.LogRequest{Follow: true}, func(error) {}) {
					require.NoError(t, err)
					require.Equal(t, "at last", e.GetMessage())
					break
				}
			})
		})
	}
}

// Each token is revoked with the first entry that it brought.
func TestFollow_EntryProvesThatTheTokenWasGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		for range 10 {
			f.log.Append("line", false)
		}
		next := uint64(1)
		for e, err := range Follow(t.Context(), f.dial(t, f.serveLog(t), f.as("ada")),
			&logsv1.LogRequest{Follow: true, After: 0}, func(error) { f.log.Append("line", false) }) {
			require.NoError(t, err)
			require.Equal(t, next, e.GetSequence())
			if next++; next == 20 {
				break
			}
			f.sessions.Revoke("ada")
		}
	})
}

func TestFollow_WaitsForALateCertificate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.server.Set(f.issue(t, host, -time.Minute))
		f.log.Append("line", false)
		time.AfterFunc(5*time.Minute, func() { f.server.Set(f.issue(t, host, time.Hour)) })
		start := time.Now()
		for _, err := range Follow(t.Context(), f.dial(t, f.serveLog(t), f.as("ada")),
			&logsv1.LogRequest{}, func(err error) { require.Equal(t, codes.Unavailable, status.Code(err), "got %v", err) }) {
			require.NoError(t, err)
			require.WithinDuration(t, start.Add(5*time.Minute), time.Now(), 3*time.Minute, "gRPC waits before it dials again")
		}
	})
}

func TestFollow_EndsWhenTheUserMayNotReturn(t *testing.T) {
	refused := status.Error(codes.PermissionDenied, "ada is locked out")
	for name, tt := range map[string]struct {
		token   func(f *fixture) (string, error)
		want    error
		retries int
		most    time.Duration // a wait is up to a second
	}{
		"the provider refuses":      {func(*fixture) (string, error) { return "", refused }, refused, 0, 0},
		"the server refuses always": {func(*fixture) (string, error) { return "old", nil }, errToken, 2, 2 * time.Second},
		"the tokens are too short": {
			func(f *fixture) (string, error) { return f.sessions.Login("ada", 999*time.Millisecond), nil }, errExpired, 2, 5 * time.Second,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFixture(t)
				creds := Credentials{func(context.Context) (string, error) { return tt.token(f) }}
				client := f.dial(t, f.serveLog(t), grpc.WithPerRPCCredentials(creds))
				retries, start := 0, time.Now()
				for _, err := range Follow(t.Context(), client, &logsv1.LogRequest{Follow: true}, func(error) { retries++ }) {
					require.EqualError(t, err, tt.want.Error())
				}
				require.Equal(t, tt.retries, retries)
				require.LessOrEqual(t, time.Since(start), tt.most)
			})
		})
	}
}

func TestFollow_CancelEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		client := f.dial(t, f.serveLog(t), f.as("ada"))
		ctx, cancel := context.WithCancel(t.Context())
		var ended time.Time
		for _, err := range Follow(ctx, client, &logsv1.LogRequest{Follow: true}, func(error) { cancel(); ended = time.Now() }) {
			require.Equal(t, codes.Canceled, status.Code(err), "got %v", err)
		}
		require.False(t, ended.IsZero(), "onRetry before the wait")
		require.Equal(t, ended, time.Now())
	})
}

func TestFollow_EndsWithoutAnErrorIfItDoesNotFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		f.log.Append("one", false)
		var got []string
		for e, err := range Follow(t.Context(), f.dial(t, f.serveLog(t), f.as("ada")), &logsv1.LogRequest{}, nil) {
			require.NoError(t, err)
			got = append(got, e.GetMessage())
		}
		require.Equal(t, []string{"one"}, got)
	})
}
