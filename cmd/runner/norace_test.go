//go:build !race

package main

// raced says that the tests, and the processes that they start, are ten times slower.
const raced = false
