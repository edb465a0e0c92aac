// Command client prints ticks as they come.
package main

import "example.com/streams/05-cancellation/cmd/internal/mains"

func main() { mains.Client() }
