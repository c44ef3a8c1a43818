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

/*
 * rdi: top, rsi: fn, rdx: arg, rcx: unwound. The frame is found by rbp, which fn keeps, so that unwinders pass from one
 * stack to the other. The personality makes every exception stop at 2, which cleans up and lets it go on.
 */
	.globl	grt_arch_call_on
	.hidden	grt_arch_call_on
	.type	grt_arch_call_on, @function
	.p2align 4
grt_arch_call_on:
	.cfi_startproc
	.cfi_personality 0x1b, grt_arch_personality
	endbr64
	pushq	%rbp
	.cfi_def_cfa_offset 16
	.cfi_offset rbp, -16
	movq	%rsp, %rbp
	.cfi_def_cfa_register rbp
	pushq	%rcx
	pushq	%rdx
	movq	%rsp, 0(%rdi)
	movq	%rdi, %rsp
	movq	%rdx, %rdi
	callq	*%rsi
	leave
	.cfi_remember_state
	.cfi_def_cfa rsp, 8
	ret
2:	.cfi_restore_state
	endbr64
	leaq	-32(%rbp), %rsp		/* rax: the exception */
	movq	%rax, 8(%rsp)
	movq	-16(%rbp), %rdi
	callq	*-8(%rbp)
	movq	8(%rsp), %rdi
	leave
	.cfi_def_cfa rsp, 8
	jmp	_Unwind_Resume@PLT	/* as if our caller called it: this frame is done */
	.cfi_endproc
	.size	grt_arch_call_on, .-grt_arch_call_on

/*
 * What unwinders ask of the frame above: edi: version, esi: actions, rdx: class, rcx: exception, r8: context. The
 * unwinder's functions are there in every program that throws, and are not asked for in one that does not.
 */
	.weak	_Unwind_SetGR
	.weak	_Unwind_SetIP
	.weak	_Unwind_Resume
	.hidden	grt_arch_personality
	.globl	grt_arch_personality
	.type	grt_arch_personality, @function
	.p2align 4
grt_arch_personality:
	.cfi_startproc
	endbr64
	movl	$8, %eax		/* go on */
	testl	$2, %esi		/* in the clean-up phase */
	je	1f
	cmpq	$0, _Unwind_SetGR@GOTPCREL(%rip)
	je	3f
	pushq	%r8
	.cfi_adjust_cfa_offset 8
	movq	%r8, %rdi
	xorl	%esi, %esi		/* DWARF's rax */
	movq	%rcx, %rdx
	callq	_Unwind_SetGR@PLT
	movq	0(%rsp), %rdi
	leaq	2b(%rip), %rsi
	callq	_Unwind_SetIP@PLT
	popq	%r8
	.cfi_adjust_cfa_offset -8
	movl	$7, %eax		/* install the context */
1:	ret
	/* An unwinder that came after us: the end of a thread passes, an exception must not. */
3:	testl	$8, %esi
	jne	1b
	movl	$2, %eax		/* fatal error */
	ret
	.cfi_endproc
	.size	grt_arch_personality, .-grt_arch_personality

/* Called by go() as if it were the user's function: keeps the six argument registers for the next call. */
	.globl	goru_capture_
#if defined(GRT_STATIC) && GRT_STATIC
	.hidden	goru_capture_
#endif
	.type	goru_capture_, @function
	.p2align 4
goru_capture_:
	.cfi_startproc
	endbr64
#if defined(GRT_TLS_DESCRIPTORS) && GRT_TLS_DESCRIPTORS
	subq	$8, %rsp
	.cfi_adjust_cfa_offset 8
	leaq	grt_tls_words@tlsdesc(%rip), %rax
	call	*grt_tls_words@tlscall(%rax)	/* keeps all registers but rax */
	addq	$8, %rsp
	.cfi_adjust_cfa_offset -8
#else
	movq	grt_tls_words@gottpoff(%rip), %rax
#endif
	movq	%rdi, %fs:0(%rax)
	movq	%rsi, %fs:8(%rax)
	movq	%rdx, %fs:16(%rax)
	movq	%rcx, %fs:24(%rax)
	movq	%r8, %fs:32(%rax)
	movq	%r9, %fs:40(%rax)
	ret
	.cfi_endproc
	.size	goru_capture_, .-goru_capture_

#if defined(GRT_TLS_DESCRIPTORS) && GRT_TLS_DESCRIPTORS
	.globl	grt_arch_self
	.hidden	grt_arch_self
	.type	grt_arch_self, @function
	.p2align 4
grt_arch_self:
	.cfi_startproc
	endbr64
	subq	$8, %rsp
	.cfi_adjust_cfa_offset 8
	leaq	grt_tls_m@tlsdesc(%rip), %rax
	call	*grt_tls_m@tlscall(%rax)
	movq	%fs:(%rax), %rax
	addq	$8, %rsp
	.cfi_adjust_cfa_offset -8
	ret
	.cfi_endproc
	.size	grt_arch_self, .-grt_arch_self
#endif

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
