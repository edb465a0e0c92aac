package unary

import (
	"context"
	"io/fs"
	"testing"
	"testing/fstest"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestPoll_EndsWithStatusOfCallOrContext(t *testing.T) {
	for name, tt := range map[string]struct {
		log  fs.FS
		want []codes.Code
		end  time.Duration
	}{
		"a failed call": {fstest.MapFS{}, []codes.Code{codes.NotFound}, 0},
		"the deadline, between two calls": {file("one\n"),
			[]codes.Code{codes.OK, codes.OK, codes.DeadlineExceeded}, 90 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
				defer cancel()
				start := time.Now()
				var got []codes.Code
				for _, err := range Poll(ctx, dial(t, tt.log), 1, time.Minute) {
					got = append(got, status.Code(err))
				}
				require.Equal(t, tt.want, got)
				require.Equal(t, tt.end, time.Since(start))
			})
		})
	}
}
