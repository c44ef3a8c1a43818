/* entry.S - x86-64: the first frame of every stack, and the argument capture behind go(). */
/* SPDX-License-Identifier: MIT */

	.text

/*
 * First frame. rdx: the switch's word; 0(%rsp): the function; rsp 16-aligned. Unwinders stop here. A jump with a return
 * address pushed by hand, not a call: the CPU pairs calls with returns, and nothing ever returns here. A call too many on
 * each new stack would make it mispredict every return of whoever runs when the new goroutine has ended.
 */
	.globl	grt_arch_entry
	.hidden	grt_arch_entry
	.type	grt_arch_entry, @function
	.p2align 4
grt_arch_entry:
	.cfi_startproc
	.cfi_undefined rip
	endbr64
	movq	%rdx, %rdi
	movq	0(%rsp), %rax
	xorl	%ebp, %ebp
	leaq	1f(%rip), %rcx
	pushq	%rcx
	.cfi_adjust_cfa_offset 8
	jmpq	*%rax
1:	ud2
	.cfi_endproc
	.size	grt_arch_entry, .-grt_arch_entry

/* Called by go() as if it were the user's function: keeps the six argument registers for the next call. */
	.globl	goru_capture_
	.type	goru_capture_, @function
	.p2align 4
goru_capture_:
	.cfi_startproc
	endbr64
	movq	grt_tls_words@gottpoff(%rip), %rax
	movq	%rdi, %fs:0(%rax)
	movq	%rsi, %fs:8(%rax)
	movq	%rdx, %fs:16(%rax)
	movq	%rcx, %fs:24(%rax)
	movq	%r8, %fs:32(%rax)
	movq	%r9, %fs:40(%rax)
	ret
	.cfi_endproc
	.size	goru_capture_, .-goru_capture_

	.section .note.GNU-stack, "", @progbits

/* IBT: every indirect target above begins with endbr64. No SHSTK: the switch leaves the shadow stack behind. */
	.section .note.gnu.property, "a"
	.p2align 3
	.long	1f - 0f
	.long	4f - 1f
	.long	5
0:	.asciz	"GNU"
1:	.p2align 3
	.long	0xc0000002
	.long	3f - 2f
2:	.long	1
3:	.p2align 3
4:
