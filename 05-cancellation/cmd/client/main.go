// Command client prints ticks as they come.
package main

import (
	"os"

	"example.com/streams/05-cancellation/cmd/internal/mains"
)

func main() { os.Exit(mains.Client()) }
